"""Options, with each of their calls refused in turn: a code, few lines, ids as before.

Ids, keyrings and log are real; only the refusal is injected.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import pytest

from pam_pykeyinit import codes
from pam_pykeyinit.kernel import keyctl, setids, syscalls
from pam_pykeyinit.module import Handle
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

CALLS: list[tuple[ModuleType, str]] = [
    *((syscalls, name) for name in ("get_keyring_id", "join_anonymous_session", "revoke")),
    *((setids, name) for name in ("setfsuid", "setresgid", "setresuid")),
    *((keyctl, name) for name in ("add_user_key", "describe", "get_persistent", "set_timeout")),
    *((keyctl, name) for name in ("join_named_session", "link", "lock", "set_permissions")),
    (keyctl, "unlock"),
]
ERRNOS = (errno.EACCES, errno.EDQUOT, errno.EINTR, errno.ENOSYS)
MOST_LINES = 3  # of a shared keyring that can be neither inspected nor left: alert, failure, tag

Act = Callable[[], object]


def _words(options: str) -> list[str]:
    return ["pam_pykeyinit", *options.split()]


def _open() -> Act:
    words = _words(
        f"force tag link=user,user-session,persistent quota_warn=90 name=fault{os.getpid()}"
    )
    return lambda: Handle().pam_sm_open_session(Pamh("alice"), 0, words)


def _open_unforced() -> Act:
    words = _words("foreign=replace tag revoke=90")
    os.setresuid(world.uid("bob"), 0, 0)
    syscalls.join_anonymous_session()
    os.setresuid(0, 0, 0)
    return lambda: Handle().pam_sm_open_session(Pamh("alice"), 0, words)


def _close(options: str) -> Act:
    words = _words(options)
    handle = Handle()
    assert handle.pam_sm_open_session(Pamh("alice"), 0, words) == 0
    return lambda: handle.pam_sm_close_session(Pamh("alice"), 0, words)


def _close_with_grace() -> Act:
    return _close("force revoke=90")


def _close_and_revoke() -> Act:
    return _close("force revoke tag")


def _refresh() -> Act:
    words = _words("force revoke=90 refresh")
    handle = Handle()
    assert handle.pam_sm_open_session(Pamh("alice"), 0, words) == 0
    keyctl.set_timeout(syscalls.SESSION_KEYRING, 10)
    return lambda: handle.pam_sm_setcred(Pamh("alice"), codes.PAM_REFRESH_CRED, words)


ERRORS = {
    _open: codes.PAM_SESSION_ERR,
    _open_unforced: codes.PAM_SESSION_ERR,
    _close_with_grace: codes.PAM_SUCCESS,  # the user has left: nothing can fail
    _close_and_revoke: codes.PAM_SUCCESS,
    _refresh: codes.PAM_CRED_ERR,
}


@dataclass
class Seen:
    """The result of a faulty call."""

    code: object
    kept: bool
    calls: list[tuple[str, int]]
    next_owner: int


def _ids() -> tuple[object, ...]:
    return os.getresuid(), os.getresgid(), setids.setfsuid(setids.KEEP)


def _try(scenario: Callable[[], Act], at: tuple[str, int] | None, error: int) -> Seen:
    """Run it with one refusal, and then a session of another user without."""
    act = scenario()
    before = _ids()
    calls: list[tuple[str, int]] = []

    def guarded(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            here = name, sum(1 for called, _ in calls if called == name)
            calls.append(here)
            if here == at:
                raise syscalls.KernelError(error, f"keyctl({name})")
            return function(*arguments)

        return call

    for module, name in CALLS:
        setattr(module, name, guarded(name, getattr(module, name)))
    code = act()
    at = None
    kept, made = _ids() == before, list(calls)
    Handle().pam_sm_open_session(Pamh("carol"), 0, _words("force"))
    return Seen(code, kept, made, world.owner(syscalls.get_keyring_id(syscalls.SESSION_KEYRING)))


@pytest.mark.parametrize("scenario", ERRORS, ids=lambda scenario: scenario.__name__.strip("_"))
def test_one_refusal(scenario: Callable[[], Act], journal: Journal, tally: dict[str, int]) -> None:
    good = in_child(lambda: _try(scenario, None, 0))
    assert (good.code, good.kept, journal.ours()) == (codes.PAM_SUCCESS, True, [])
    for at in good.calls:
        for error in ERRNOS:
            seen = in_child(lambda at=at, error=error: _try(scenario, at, error))  # type: ignore[misc]
            lines = journal.ours()
            where = f"{scenario.__name__} {at} {errno.errorcode[error]}: {seen.code} {lines}"
            assert type(seen.code) is int, where
            assert seen.code in {codes.PAM_SUCCESS, ERRORS[scenario]}, where
            assert seen.code == codes.PAM_SUCCESS or lines, where  # no failure without a line
            assert len(lines) <= MOST_LINES, where
            assert not any("internal error" in line.text for line in lines), where
            assert seen.kept, where
            assert seen.next_owner == world.uid("carol"), where
            tally["faults of options injected"] = tally.get("faults of options injected", 0) + 1
