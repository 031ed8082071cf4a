"""Keys whose descriptions and owners are chosen to mislead readers."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from policies.squatter import become

from helper.conftest import HELPER
from pam_pykeyinit.kernel import keyctl, listing, procfs, syscalls
from support.child import in_child
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

ROW = "{:08x} I--Q---     1 {} 3f010000     0     0 user      forged"
SEEN_BY_ALL = 0x3F3F0101
PAM_SUCCESS = 0

Publish = Callable[[str], int]


@pytest.fixture
def publish() -> Iterator[Publish]:
    """Create a key of bob that every user can view; return its serial number."""

    def make(description: str) -> int:
        become("bob")
        syscalls.join_anonymous_session()
        keyctl.link(syscalls.USER_KEYRING, syscalls.SESSION_KEYRING)  # a possessor may open it
        serial = keyctl.add_user_key(description, b"x", syscalls.USER_KEYRING)
        keyctl.set_permissions(serial, SEEN_BY_ALL)
        return serial

    yield lambda description: in_child(lambda: make(description))
    as_bob = ["setpriv", "--reuid=bob", "--regid=bob", "--clear-groups"]
    subprocess.run([*as_bob, "keyctl", "clear", "@u"], check=True)


def test_show_and_explain_are_not_stopped_by_the_end_of_a_line(publish: Publish) -> None:
    publish("first\nnot a row but words enough for one of nine\nthird")
    as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
    for command in ("show", "explain user:nosuch"):
        reported = subprocess.run(
            [*as_alice, HELPER, *command.split()], capture_output=True, text=True
        )
        assert "Traceback" not in reported.stderr, reported.stderr
        assert reported.stdout


def test_a_refresh_is_not_stopped_by_the_end_of_a_line(
    publish: Publish, driver: Driver, loader: str, journal: Journal
) -> None:
    publish("first\nnot a row but words enough for one of nine")
    stack = f"auth required {loader} refresh revoke=1m"
    script = "prep own alice\nkeyctl 15 -3 100\nstart 0 s alice\nrefresh 0\n"
    assert driver.run(driver.services(s=stack), script).codes() == [PAM_SUCCESS]
    assert journal.ours() == []


def test_a_row_that_is_forged_is_not_believed(publish: Publish) -> None:
    """If a key has two rows, one is false, and nothing shows which."""

    def told_and_forged() -> tuple[bool, bool]:
        serial = syscalls.join_anonymous_session()
        before = serial in listing.rows(procfs.text("/proc/keys"))
        publish("x\n" + ROW.format(serial, "expd"))
        return before, serial in listing.rows(procfs.text("/proc/keys"))

    assert in_child(told_and_forged) == (True, False)


@pytest.mark.parametrize("uid", [2**31 - 1, 2**31, 2**32 - 2])
def test_an_owner_of_any_number_is_told_as_it_is(uid: int) -> None:
    """The kernel prints it with a sign."""

    def described() -> tuple[int, str]:
        serial = keyctl.add_user_key("a;b", b"x", syscalls.join_anonymous_session())
        subprocess.run(["keyctl", "chown", str(serial), str(uid)], check=True)
        _, owner, _, _, description = keyctl.describe(serial)
        return owner, description

    assert in_child(described) == (uid, "a;b")
