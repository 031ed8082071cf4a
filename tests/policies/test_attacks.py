"""Another user has the name first, or at the same time, or opens a keyring that was closed."""

import errno
import os

import pytest

from pam_pykeyinit import codes
from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.module import Handle
from policies.conftest import Run
from policies.squatter import (
    OPEN_TO_ALL,
    SEARCH_FOR_OTHERS,
    become,
    racing,
    squatting,
)
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

OPEN = "start 0 s alice\nopen 0\n"


def _name(kind: str, loader: str) -> str:
    """A name of this test only: keyrings of an earlier test may still exist."""
    return f"{kind}-{loader.split('.')[0]}-{os.getpid()}"


@pytest.mark.parametrize("mask", [OPEN_TO_ALL, SEARCH_FOR_OTHERS, 0x3F1B0009])
def test_another_user_was_there_before(run: Run, loader: str, mask: int, journal: Journal) -> None:
    name = _name(f"before{mask:x}", loader)
    with squatting("bob", name, mask) as serial:
        outcome = run(f"force revoke name={name}", f"{OPEN}close 0\n")

    opened, closed = outcome.steps[1:]
    assert opened.code == 0
    assert opened.fields[1] == world.uid("alice")
    assert opened.fields[3:] == ("3f030000", "_ses")
    assert closed.session == {"error": "EKEYREVOKED"}
    (line,) = journal.ours()
    assert line.level == "ALERT"
    whose = "of an owner who cannot be seen" if mask == SEARCH_FOR_OTHERS else "belongs to uid"
    assert f"session keyring {serial} {whose}" in line.text
    if mask != SEARCH_FOR_OTHERS:
        assert f"belongs to uid {world.uid('bob')}: left at once" in line.text


def test_nothing_of_the_users_is_put_into_it(run: Run, loader: str) -> None:
    name = _name("untouched", loader)
    with squatting("bob", name) as serial:
        run(f"force tag link=user,persistent name={name}", OPEN)
        assert in_child(lambda: _links_of(serial)) == 0


def _links_of(serial: int) -> int:
    import keyutils

    become("bob")
    return len(keyutils.read_key(serial)) // 4


def test_another_user_comes_at_the_same_time(run: Run, loader: str, journal: Journal) -> None:
    name = _name("during", loader)
    opens = "".join(f"start {n} s alice\nopen {n}\n" for n in range(4))
    opened, lines = [], []
    with racing("bob", name):
        for _ in range(10):
            opened += run(f"force name={name}", opens).steps[1::2]
            lines += journal.ours()  # the log holds only a few, and then blocks its writers
    assert [step.call for step in opened] == ["open"] * 40
    assert {step.code for step in opened} == {0}
    assert {step.fields[1] for step in opened} == {world.uid("alice")}
    assert {line.level for line in lines} <= {"ALERT"}


def test_another_user_comes_later(run: Run, loader: str, journal: Journal) -> None:
    name = _name("after", loader)
    with squatting("alice", name, 0x3F1B0000) as hers, squatting("bob", name) as his:
        outcome = run(f"force name={name}", OPEN)
    assert hers != his  # he did not get in
    assert outcome.steps[-1].session["serial"] == hers
    assert journal.ours() == []


def _opened_meanwhile(name: str) -> tuple[object, str]:
    """After it was checked, and before it is used, the user opens it to others."""
    link = keyctl.link
    opened: list[str] = []

    def open_to_all() -> None:
        become("alice")
        keyctl.set_permissions(syscalls.SESSION_KEYRING, OPEN_TO_ALL)

    def open_first(key: int, keyring: int) -> None:
        if not opened:
            opened.append(keyctl.describe(syscalls.SESSION_KEYRING)[4])
            in_child(open_to_all)
        link(key, keyring)

    keyctl.link = open_first
    code = Handle().pam_sm_open_session(Pamh("alice"), 0, ["m", "force", f"name={name}"])
    assert opened == [name]
    return code, keyctl.describe(syscalls.SESSION_KEYRING)[4]


def test_permissions_that_change_between_check_and_use(journal: Journal) -> None:
    assert in_child(lambda: _opened_meanwhile("changing")) == (0, "_ses")
    (line,) = journal.ours()
    assert line.level == "ALERT"
    assert f"of uid {world.uid('alice')} gives rights to others (3f3f3f3f): left" in line.text


def _without_memory(name: str, user_session_too: bool) -> tuple[object, int, list[str]]:
    def refused() -> int:
        raise syscalls.KernelError(errno.EDQUOT, "keyctl(JOIN_SESSION_KEYRING)")

    syscalls.join_anonymous_session = refused
    named = keyctl.join_named_session

    def but_not_this(name: str) -> int:
        if name.startswith("_uid_ses") and not user_session_too:
            raise syscalls.KernelError(errno.ENOMEM, "keyctl(JOIN_SESSION_KEYRING)")
        return named(name)

    keyctl.join_named_session = but_not_this
    code = Handle().pam_sm_open_session(Pamh("alice"), 0, ["m", "force", f"name={name}"])
    try:
        found = keyctl.describe(syscalls.SESSION_KEYRING)
    except syscalls.KernelError as error:
        return code, -1, [str(error)]
    return code, found[1], [found[4]]


def test_where_there_is_no_other_keyring_to_leave_it_for(journal: Journal) -> None:
    """The user's quota is used up: the user-session keyring needs none."""
    alice = world.uid("alice")
    name = _name("nowhere", "")
    with squatting("bob", name):
        seen = in_child(lambda: _without_memory(name, user_session_too=True))
    assert seen == (codes.PAM_SESSION_ERR, alice, [f"_uid_ses.{alice}"])
    assert [line.level for line in journal.ours()] == ["ALERT", "ERR"]


def test_where_it_cannot_be_left_at_all(journal: Journal) -> None:
    name = _name("stuck", "")
    with squatting("bob", name):
        seen = in_child(lambda: _without_memory(name, user_session_too=False))
    assert seen[:2] == (codes.PAM_SESSION_ERR, world.uid("bob"))
    alert, failure = journal.ours()
    assert alert.level == "ALERT"
    assert alert.text.endswith("and cannot be left: end this session")
    assert failure.level == "ERR"
