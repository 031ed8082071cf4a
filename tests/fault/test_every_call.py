"""Every kernel call of every handler, refused or interrupted, at every position.

Ids, keyrings and log are real; only the fault is injected.  In each case:
the documented code, one line at most, and ids as before; and the next session works.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass

import keyutils
import pytest

from pam_pykeyinit import codes
from pam_pykeyinit.kernel import libc, syscalls, sysnums
from pam_pykeyinit.module import Handle
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

KEYCTLS = {
    0: "get_keyring_id",
    1: "join_anonymous_session",
    3: "revoke",
    5: "set_permissions",
    8: "link",
    9: "unlink",
}
CALLS = {
    sysnums.ADD_KEY: "add_keyring",
    sysnums.SETRESGID: "setresgid",
    sysnums.SETRESUID: "setresuid",
}
ERRNOS = (
    *("EACCES", "EAGAIN", "EDQUOT", "EFAULT", "EINTR", "EINVAL", "EKEYEXPIRED", "EKEYREJECTED"),
    *("EKEYREVOKED", "ENFILE", "ENOENT", "ENOKEY", "ENOMEM", "ENOSYS", "ENOTDIR", "EPERM"),
)
OTHERS = (KeyboardInterrupt, MemoryError, RecursionError, RuntimeError, SystemExit, ValueError)

Call = tuple[str, int]  # a kernel function, and the number of its call in the handler


class Fault:
    """Wraps the system calls, and refuses one, or all from it on, or raises there."""

    def __init__(self, at: Call | None, error: BaseException | None, lasting: bool) -> None:
        self.at, self.error, self.lasting = at, error, lasting
        self.calls: list[Call] = []
        self._syscall = libc.syscall
        libc.syscall = self._guard

    def _meets(self, name: str, count: int) -> bool:
        if self.at is None or name != self.at[0]:
            return False
        return count >= self.at[1] if self.lasting else count == self.at[1]

    def _guard(self, number: int, *arguments: int | bytes | bytearray | None) -> int:
        operation = arguments[0] if isinstance(arguments[0], int) else -1
        name = KEYCTLS.get(operation) if number == sysnums.KEYCTL else CALLS.get(number)
        if name is not None:
            count = sum(1 for called, _ in self.calls if called == name)
            self.calls.append((name, count))
            if self.error is not None and self._meets(name, count):
                if isinstance(self.error, syscalls.KernelError):
                    return -(self.error.errno or 0)
                raise self.error
        return self._syscall(number, *arguments)


@dataclass
class Seen:
    """The result of a faulty call."""

    code: object
    ids_kept: bool
    calls: list[Call]
    held: int = 0  # links in the thread keyring when all is closed
    next_owner: object = None


def _open(handle: Handle, *options: str, user: str = "alice") -> int:
    return handle.pam_sm_open_session(Pamh(user), 0, ["pam_pykeyinit", "revoke", *options])


# Each scenario: the calls that succeed first, and then the call with the fault.
def _establish() -> Callable[[], object]:
    return lambda: Handle().pam_sm_setcred(Pamh("alice"), codes.PAM_ESTABLISH_CRED, ["m", "force"])


def _open_unforced() -> Callable[[], object]:
    return lambda: _open(Handle())


def _open_displacing() -> Callable[[], object]:
    assert _open(Handle(), "force", user="bob") == 0
    return lambda: _open(Handle(), "force")


def _close() -> Callable[[], object]:
    handle = Handle()
    assert _open(handle, "force") == 0
    return lambda: handle.pam_sm_close_session(Pamh("alice"), 0, ["m", "revoke"])


def _close_displaced() -> Callable[[], object]:
    handle = Handle()
    assert _open(handle, "force") == 0
    assert _open(Handle(), "force", user="bob") == 0
    return lambda: handle.pam_sm_close_session(Pamh("alice"), 0, ["m", "revoke"])


def _delete() -> Callable[[], object]:
    handle = Handle()
    assert _open(handle, "force") == 0
    return lambda: handle.pam_sm_setcred(Pamh("alice"), codes.PAM_DELETE_CRED, ["m", "revoke"])


SCENARIOS: dict[Callable[[], Callable[[], object]], int] = {
    _establish: codes.PAM_CRED_ERR,
    _open_unforced: codes.PAM_SESSION_ERR,
    _open_displacing: codes.PAM_SESSION_ERR,
    _close: codes.PAM_SESSION_ERR,
    _close_displaced: codes.PAM_SESSION_ERR,
    _delete: codes.PAM_CRED_ERR,
}


def _try(
    scenario: Callable[[], Callable[[], object]],
    at: Call | None = None,
    error: BaseException | None = None,
    lasting: bool = False,
) -> Seen:
    """Run the scenario with a fault, then a session of another user without."""
    act = scenario()
    before = os.getresuid(), os.getresgid()
    fault = Fault(at, error, lasting)
    seen = Seen(act(), (os.getresuid(), os.getresgid()) == before, list(fault.calls))
    fault.error = None
    seen.held = _links_of_thread_keyring()
    if seen.ids_kept and _open(Handle(), "force", user="carol") == 0:
        seen.next_owner = world.owner(syscalls.get_keyring_id(syscalls.SESSION_KEYRING))
    return seen


def _links_of_thread_keyring() -> int:
    try:
        return len(keyutils.read_key(syscalls.get_keyring_id(syscalls.THREAD_KEYRING))) // 4
    except syscalls.KernelError:
        return 0  # there is none


def _expected(
    scenario: Callable[[], Callable[[], object]], at: Call, error: BaseException
) -> tuple[int, str]:
    """Code and level of the line for one fault, as the contract says; "" is no line."""
    name, count = at
    number = error.errno if isinstance(error, syscalls.KernelError) else None
    refused = number is not None
    if refused and name in ("setresuid", "setresgid"):
        if scenario is _open_displacing and count == 1:
            return codes.PAM_SUCCESS, "WARNING"  # a displaced keyring cannot be held as the host
        if count > 0:
            return codes.PAM_SUCCESS, ""  # when ids are restored: tried again
    unforced = scenario is _open_unforced and at == ("get_keyring_id", 0)
    if unforced and number == errno.ENOSYS:
        return codes.PAM_SUCCESS, "NOTICE"
    if refused and scenario is _open_displacing:
        if name == "get_keyring_id":
            return codes.PAM_SUCCESS, ""
        if name in ("add_keyring", "set_permissions") or at == ("link", 0):
            return codes.PAM_SUCCESS, "WARNING"
    if refused and name == "unlink":
        return codes.PAM_SUCCESS, ""
    if at == ("revoke", 0) and number == errno.EACCES:
        return codes.PAM_SUCCESS, ""  # tried again as the owner
    if refused and scenario in (_close, _close_displaced):
        return codes.PAM_SUCCESS, "ERR"
    return SCENARIOS[scenario], "ERR"


def _faults() -> list[BaseException]:
    refusals = [syscalls.KernelError(getattr(errno, name), "call") for name in ERRNOS]
    return [*refusals, *(kind("made up") for kind in OTHERS)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__.strip("_"))
def test_one_fault(
    scenario: Callable[[], Callable[[], object]], journal: Journal, tally: dict[str, int]
) -> None:
    good = in_child(lambda: _try(scenario))
    assert (good.code, good.ids_kept, journal.ours()) == (0, True, [])
    # The only hold here waits for the close of a displaced keyring.
    assert good.held == (1 if scenario is _open_displacing else 0)
    for at in good.calls:
        for error in _faults():
            seen = in_child(lambda at=at, error=error: _try(scenario, at, error))  # type: ignore[misc]
            lines = journal.ours()
            where = f"{scenario.__name__} {at} {error!r}: {lines}"
            code, level = _expected(scenario, at, error)
            assert seen.code == code, where
            assert type(seen.code) is int
            assert [line.level for line in lines] == [level] * bool(level), where
            assert seen.ids_kept, where
            most = 0 if level == "WARNING" else 1 if at[0] == "unlink" else good.held
            assert seen.held <= most, where
            assert seen.next_owner == world.uid("carol"), where
            tally["faults injected"] = tally.get("faults injected", 0) + 1


@pytest.mark.parametrize("name", ["setresuid", "setresgid"])
@pytest.mark.parametrize(
    "scenario", [_establish, _open_unforced], ids=lambda scenario: scenario.__name__.strip("_")
)
def test_ids_that_cannot_be_restored_raise_the_alarm(
    scenario: Callable[[], Callable[[], object]], name: str, journal: Journal
) -> None:
    error = syscalls.KernelError(errno.EPERM, name)
    seen = in_child(lambda: _try(scenario, (name, 1), error, lasting=True))
    assert not seen.ids_kept
    assert seen.code == SCENARIOS[scenario]
    lines = journal.ours()
    assert [line.level for line in lines] == ["ALERT"]
    assert f"{name}: " in lines[0].text
