"""What a session leaves in the process: keyrings, and nothing else."""

import gc
import os
from collections.abc import Callable

import pytest

from pam_pykeyinit import codes
from pam_pykeyinit.kernel import syscalls
from pam_pykeyinit.module import Handle
from support import world
from support.child import in_child
from support.drive import Driver
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

EMPTY = """
def pam_sm_open_session(pamh, flags, argv): return 0
def pam_sm_close_session(pamh, flags, argv): return 0
"""
SCRIPT = "hygiene\nstart 0 s alice\nopen 0\nclose 0\nend 0\nhygiene\n"


def _changes(driver: Driver, stack: str, environment: dict[str, str]) -> set[str]:
    before, after = driver.run(driver.services(s=stack), SCRIPT, env=environment).hygiene
    return {line for line in set(before) ^ set(after) if not line.startswith("SigQ")}


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ({}, ("locale ", "environment ")),  # LC_CTYPE, since its version of September 2026
        ({"LC_ALL": "C.UTF-8"}, ("locale ",)),
    ],
)
def test_nothing_of_the_process_changes_but_what_pam_python_changes(
    environment: dict[str, str], own: tuple[str, ...], driver: Driver
) -> None:
    """pam_python sets the locale, for any module; the comparison is with an empty one."""
    empty = driver.scratch / "empty.py"
    empty.write_text(EMPTY)
    theirs = _changes(driver, f"session required pam_python.so {empty}", environment)
    stack = "session required pam_python.so pam_pykeyinit.py force revoke"
    ours = _changes(driver, stack, environment)
    assert ours == theirs
    assert all(line.startswith(own) for line in ours)


def test_with_our_loader_nothing_of_the_process_changes(driver: Driver) -> None:
    """Neither its locale nor the signals that it blocks."""
    assert _changes(driver, "session required pam_pykeyinit.so force revoke", {}) == set()


def test_the_applications_syslog_identity_is_its_own(
    driver: Driver, loader: str, journal: Journal
) -> None:
    services = driver.services(s=f"session required {loader} nosuch")
    driver.run(services, "syslog before\nstart 0 s alice\nopen 0\nsyslog after\n")

    before, ours, after = map(repr, journal.read())
    assert before == "daemon.INFO pamdrive: before"
    assert ours.startswith("authpriv.ERR pamdrive: pam_pykeyinit(s:session): ")
    assert after == "daemon.INFO pamdrive: after"


def test_no_thread_keyring_is_left_by_an_ordinary_session(driver: Driver, loader: str) -> None:
    """It would become the destination of the keys that request_key(2) constructs."""
    services = driver.services(s=f"session required {loader} force revoke")
    outcome = driver.run(services, "start 0 s alice\nopen 0\nspecial\nclose 0\nspecial\n")
    assert outcome.hygiene == [["ENOKEY", "ENOKEY"]] * 2


def test_no_hold_is_taken_on_what_will_not_be_revoked(driver: Driver, loader: str) -> None:
    services = driver.services(s=f"session required {loader} force")
    script = "start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\nspecial\n"
    assert driver.run(services, script).hygiene == [["ENOKEY", "ENOKEY"]]


@pytest.mark.parametrize("end", ["close 0\nend 0", "end 0"])
def test_no_hold_is_taken_on_a_session_that_is_over(
    end: str, driver: Driver, loader: str, journal: Journal
) -> None:
    """It stays, closed with a grace period or never closed: no handle will end it."""
    services = driver.services(s=f"session required {loader} force revoke=90")
    script = f"start 0 s alice\nopen 0\n{end}\nstart 1 s bob\nopen 1\nspecial\n"
    assert driver.run(services, script).hygiene == [["ENOKEY", "ENOKEY"]]
    assert journal.ours() == []


def test_a_hold_ends_with_the_close_or_with_the_handle(driver: Driver, loader: str) -> None:
    services = driver.services(s=f"session required {loader} force revoke")
    for last in ("close 0", "end 0"):
        script = f"start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\nspecial\n{last}\nspecial\n"
        assert driver.run(services, script).hygiene == [["1", "ENOKEY"], ["0", "ENOKEY"]]


def test_a_second_session_of_a_handle_is_held_as_well(driver: Driver, loader: str) -> None:
    """Each of alice's two is displaced by one of bob's, and revoked at its own close."""
    services = driver.services(s=f"session required {loader} force revoke")
    script = "start 0 s alice\nstart 1 s bob\nstart 2 s bob\n" + "".join(
        f"open 0\nopen {bob}\nclose 0\n" for bob in (1, 2)
    )
    steps = driver.run(services, script).steps
    for displaced, closed in ((4, 5), (7, 8)):
        (alices,) = set(steps[displaced - 1].keyrings) - set(steps[displaced - 2].keyrings)
        assert steps[displaced].keyrings[alices] == "live"
        assert steps[closed].keyrings[alices] == "EKEYREVOKED"


def test_a_displaced_keyring_shows_its_keys_to_nobody(driver: Driver, loader: str) -> None:
    """While bob's session is in place, a search of the same thread must not find alice's key."""
    services = driver.services(s=f"session required {loader} force revoke")
    script = "start 0 s alice\nopen 0\nadd secret\nstart 1 s bob\nopen 1\nsearch secret\n"
    outcome = driver.run(services, script)
    assert outcome.hygiene == [["found"], ["ENOKEY"]]


def _with_a_dead_session_keyring() -> None:
    syscalls.revoke(syscalls.join_anonymous_session())


def _as_another_user() -> None:
    os.setresuid(*[world.uid("bob")] * 3)


@pytest.mark.parametrize(
    ("host", "options"),
    [(_with_a_dead_session_keyring, []), (_as_another_user, []), (_as_another_user, ["force"])],
)
def test_a_refused_session_leaves_nothing_to_the_garbage_collector(
    host: Callable[[], None], options: list[str]
) -> None:
    """In our interpreter it is off until a handle ends."""

    def left() -> list[object]:
        host()
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        answer: object = Handle().pam_sm_open_session(Pamh("alice"), 0, ["m", *options])
        gc.collect()  # it also finds the types that libc.py makes; our loader has libc in C
        return [answer, *(repr(each) for each in gc.garbage if isinstance(each, Exception))]

    assert in_child(left) == [codes.PAM_SESSION_ERR]
