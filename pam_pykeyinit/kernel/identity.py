"""Become the user for a moment.  Only this file changes ids.

A new session keyring belongs to the real ids, and @u and @us depend on the real user id
(join_session_keyring and look_up_user_keyrings in the kernel).  Therefore the real ids must be
the user's while the keyring is created.  Only the calling thread changes.

Meanwhile the previous id is kept in the saved id.  So even a process without privileges
(effective id not root, no capabilities) can restore it, and a process whose other ids are root
does not lose its capabilities.

pam_pykeyinit.so does not run this file: it has the same functions in C, where nothing can
interrupt them.
"""

from _signal import (  # type: ignore[import-not-found]  # typeshed's gap
    SIG_BLOCK,
    SIG_SETMASK,
    pthread_sigmask,
    valid_signals,
)
from errno import EINVAL, EPERM
from posix import getresgid, getresuid

from . import libc, setids
from .errors import NotRestored as NotRestored
from .syscalls import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")
    Triple = tuple[int, int, int]

_NO_ID = 2**32 - 1  # set*id(2) take it for "unchanged"
_TRIES = 1000  # to restore the ids


def with_real_ids(uid: int, gid: int, work: "Callable[[], Result]") -> "Result":
    """Return work(), called with the real ids `uid` and `gid`; afterwards all ids are restored.

    Raises KernelError, without calling work(), if the kernel refuses the switch, if an id is -1
    (which would change nothing, so that work() would run as root), or if the ids could not be
    restored afterwards.  Raises NotRestored if restoring failed, and the exceptions of work().
    """
    return _switched(0, uid, gid, work)


def with_effective_ids(uid: int, gid: int, work: "Callable[[], Result]") -> "Result":
    """The same with the effective ids, by which permissions are checked."""
    return _switched(1, uid, gid, work)


def with_filesystem_uid(uid: int, work: "Callable[[], Result]") -> "Result":
    """Return work(), called with the filesystem user id.

    The kernel uses it to check permissions of keys, to find session keyrings by name, and as the
    owner of new keys of add_key(2).  Raises KernelError if it cannot be set, and NotRestored.
    """
    before = setids.setfsuid(setids.KEEP)

    def switch() -> None:
        setids.setfsuid(uid)
        if setids.setfsuid(setids.KEEP) != uid:  # the call itself reports no failure
            raise KernelError(EPERM, "setfsuid")

    def restore() -> str:
        setids.setfsuid(before)
        found = setids.setfsuid(setids.KEEP)
        return "" if found == before else f"filesystem uid is {found}, must be {before}"

    return _guarded(switch, work, _with_marks(restore))


def _switched(slot: int, uid: int, gid: int, work: "Callable[[], Result]") -> "Result":
    """Switch the real (0) or the effective (1) ids."""
    uids, gids = getresuid(), getresgid()

    def switch() -> None:
        if _NO_ID in (uid % 2**32, gid % 2**32):
            raise KernelError(EINVAL, "setresuid")
        # The group first, because it may be refused without root's uid.
        for before, new, change, name in (
            (gids, gid, setids.setresgid, "setresgid"),
            (uids, uid, setids.setresuid, "setresuid"),
        ):
            if before[2] not in before[:2] and not libc.may_set_ids():
                raise KernelError(EPERM, name)  # the saved id could not be restored
            if before[slot] != new:
                wanted = [setids.KEEP, setids.KEEP, before[slot]]
                wanted[slot] = new
                change(*wanted)

    def restore() -> str:
        return _restore(uids, gids)

    return _guarded(switch, work, _with_marks(restore) if slot else restore)


def _with_marks(restore: "Callable[[], str]") -> "Callable[[], str]":
    """The same, and the marks that the kernel resets if a filesystem id changes (commit_creds)."""
    marks = libc.process_marks()

    def restore_all() -> str:
        problem = restore()
        libc.set_process_marks(*marks)
        return problem

    return restore_all


def _guarded(
    switch: "Callable[[], None]", work: "Callable[[], Result]", restore: "Callable[[], str]"
) -> "Result":
    """Return work(), between switch() and restore(), which returns a problem, or ""."""
    signals = pthread_sigmask(SIG_BLOCK, ())
    interruption: "BaseException | None" = None
    problem = "ids may not be what they were"
    try:
        try:
            pthread_sigmask(SIG_BLOCK, valid_signals())
            switch()
            return work()
        finally:
            # Nothing is called outside this `try`: a signal handler of the program may run in
            # another thread, and its exception be raised in this one.
            for _ in range(_TRIES):
                try:
                    problem = restore() and restore()
                    break
                except BaseException as error:
                    interruption = error
    finally:
        pthread_sigmask(SIG_SETMASK, signals)
        if problem:
            raise NotRestored(problem)
        if interruption is not None:
            raise interruption


def _restore(uids: "Triple", gids: "Triple") -> str:
    """Restore the ids, user first, and verify them: a successful call is not enough."""
    refusals = []
    for read, before, change in (
        (getresuid, uids, setids.setresuid),
        (getresgid, gids, setids.setresgid),
    ):
        found = read()
        if found != before:
            try:
                if found[1] != before[1]:  # it gives the right to set the other ids
                    change(setids.KEEP, before[1], setids.KEEP)
                change(*before)
            except KernelError as error:
                refusals.append(f"; {error.call}: {error.strerror}")
    if (getresuid(), getresgid()) == (uids, gids):
        return ""
    return f"ids are {getresuid()} {getresgid()}, must be {uids} {gids}" + "".join(refusals)
