"""Be the user for a moment.  The only place that changes ids.

The kernel owns a new session keyring by the real ids, and finds @u and @us by the real
user id (join_session_keyring and look_up_user_keyrings in the kernel), so the real ids
must be the user's while it is made.  Only the calling thread is changed.

While switched, the id that was given up is parked in the saved slot.  So even a process
that has no privilege left (effective id not root, no capabilities) keeps the right to go
back, and one whose other ids are root's never loses its capabilities on the way.

Under pam_pykeyinit.so this file is not run: that loader has the same functions in C, where
nothing can come in between.
"""

from _signal import (  # type: ignore[import-not-found]  # typeshed's gap
    SIG_BLOCK,
    SIG_SETMASK,
    pthread_sigmask,
    valid_signals,
)
from errno import EINVAL, EPERM
from posix import getresgid, getresuid

from . import libc, syscalls
from .errors import NotRestored as NotRestored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")
    Triple = tuple[int, int, int]

_NO_ID = 2**32 - 1  # set*id(2) take it as "leave it as it is"
_TRIES = 1000  # of the way back


def with_real_ids(uid: int, gid: int, work: "Callable[[], Result]") -> "Result":
    """Return work(), called with the real ids `uid` and `gid`; afterwards all are as before.

    Raises KernelError where the switch is refused, and work is not called then: by the kernel;
    for an id that is none, with which it would leave all as it is, and work() would be done as
    root; and where the way back would not be open.  NotRestored where the ids did not come
    back, and what work() raises.
    """
    return _switched(0, uid, gid, work)


def with_effective_ids(uid: int, gid: int, work: "Callable[[], Result]") -> "Result":
    """The same with the effective ids, by which permissions are checked."""
    return _switched(1, uid, gid, work)


def with_filesystem_uid(uid: int, work: "Callable[[], Result]") -> "Result":
    """Return work(), called with the filesystem user id.

    By it the kernel checks the permissions of keys, finds session keyrings by name, and
    owns the keys of add_key(2).  Raises KernelError where it cannot be had, NotRestored.
    """
    before = syscalls.setfsuid(syscalls.KEEP)

    def switch() -> None:
        syscalls.setfsuid(uid)
        if syscalls.setfsuid(syscalls.KEEP) != uid:  # the call itself never says so
            raise syscalls.KernelError(EPERM, "setfsuid")

    def restore() -> str:
        syscalls.setfsuid(before)
        found = syscalls.setfsuid(syscalls.KEEP)
        return "" if found == before else f"filesystem uid is {found}, must be {before}"

    return _guarded(switch, work, _with_marks(restore))


def _switched(slot: int, uid: int, gid: int, work: "Callable[[], Result]") -> "Result":
    """Switch the real (0) or the effective (1) ids."""
    uids, gids = getresuid(), getresgid()

    def switch() -> None:
        if _NO_ID in (uid % 2**32, gid % 2**32):
            raise syscalls.KernelError(EINVAL, "setresuid")
        # The group first: without root's uid it may be refused.
        for before, new, change, name in (
            (gids, gid, syscalls.setresgid, "setresgid"),
            (uids, uid, syscalls.setresuid, "setresuid"),
        ):
            if before[2] not in before[:2] and not libc.may_set_ids():
                raise syscalls.KernelError(EPERM, name)  # the saved id would not come back
            if before[slot] != new:
                wanted = [syscalls.KEEP, syscalls.KEEP, before[slot]]
                wanted[slot] = new
                change(*wanted)

    def restore() -> str:
        return _restore(uids, gids)

    return _guarded(switch, work, _with_marks(restore) if slot else restore)


def _with_marks(restore: "Callable[[], str]") -> "Callable[[], str]":
    """The same, and what the kernel resets where a filesystem id changes (commit_creds)."""
    marks = libc.process_marks()

    def restore_all() -> str:
        problem = restore()
        libc.set_process_marks(*marks)
        return problem

    return restore_all


def _guarded(
    switch: "Callable[[], None]", work: "Callable[[], Result]", restore: "Callable[[], str]"
) -> "Result":
    """Return work(), between switch() and restore(), which returns what is wrong, or ""."""
    signals = pthread_sigmask(SIG_BLOCK, ())
    interruption: "BaseException | None" = None
    problem = ""
    try:
        try:
            pthread_sigmask(SIG_BLOCK, valid_signals())
            switch()
            return work()
        finally:
            # Nothing is called outside of this `try`: a program's own handler of signals may
            # run in another thread, and its exception be raised in this one.
            for _ in range(_TRIES):
                try:
                    problem = restore() and restore()
                    break
                except BaseException as error:
                    interruption = error
            else:
                problem = "ids may not be what they were"
    finally:
        pthread_sigmask(SIG_SETMASK, signals)
        if problem:
            raise NotRestored(problem)
        if interruption is not None:
            raise interruption


def _restore(uids: "Triple", gids: "Triple") -> str:
    """Put the ids back, user first, and look whether they are: a call's word is not enough."""
    refusals = []
    for read, before, change in (
        (getresuid, uids, syscalls.setresuid),
        (getresgid, gids, syscalls.setresgid),
    ):
        found = read()
        if found != before:
            try:
                if found[1] != before[1]:  # with it comes the right to set any other one
                    change(syscalls.KEEP, before[1], syscalls.KEEP)
                change(*before)
            except syscalls.KernelError as error:
                refusals.append(f"; {error.call}: {error.strerror}")
    if (getresuid(), getresgid()) == (uids, gids):
        return ""
    return f"ids are {getresuid()} {getresgid()}, must be {uids} {gids}" + "".join(refusals)
