"""Be the user for a moment.  The only place that changes ids.

The kernel owns a new session keyring by the real ids, and finds @u and @us by the real
user id (join_session_keyring and look_up_user_keyrings in the kernel), so the real ids
must be the user's while it is made.  Only the calling thread is changed.

While switched, the id that was given up is parked in the saved slot.  So even a process
that has no privilege left (effective id not root, no capabilities) keeps the right to go
back, and one whose other ids are root's never loses its capabilities on the way.
"""

from errno import EINVAL, EPERM
from posix import getresgid, getresuid

from . import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")
    Triple = tuple[int, int, int]


class NotRestored(Exception):
    """The thread's ids are not what they were, and could not be put back."""


def with_real_ids(uid: int, gid: int, work: "Callable[[], None]") -> None:
    """Call work() with the real ids `uid` and `gid`; afterwards all ids are as before.

    Raises KernelError where the kernel refuses the switch (work is not called then), and for
    the id -1, with which it would leave all as it is, and work() would be done as root;
    NotRestored where it refuses the way back, and what work() raises.
    """
    before = getresuid(), getresgid()
    real_uid, real_gid = before[0][0], before[1][0]
    _switched(
        before,
        (uid, kernel.KEEP, real_uid) if uid != real_uid else None,
        (gid, kernel.KEEP, real_gid) if gid != real_gid else None,
        work,
    )


def with_effective_ids(uid: int, gid: int, work: "Callable[[], None]") -> None:
    """The same with the effective ids, by which permissions are checked."""
    before = getresuid(), getresgid()
    effective_uid, effective_gid = before[0][1], before[1][1]
    _switched(
        before,
        (kernel.KEEP, uid, effective_uid) if uid != effective_uid else None,
        (kernel.KEEP, gid, effective_gid) if gid != effective_gid else None,
        work,
    )


def with_filesystem_uid(uid: int, work: "Callable[[], Result]") -> "Result":
    """Return work(), called with the filesystem user id.

    By it the kernel checks the permissions of keys, finds session keyrings by name, and
    owns the keys of add_key(2).  Raises KernelError where it cannot be had, NotRestored.
    """
    before = kernel.setfsuid(uid)
    try:
        if kernel.setfsuid(kernel.KEEP) != uid:  # the call itself never says so
            raise kernel.KernelError(EPERM, "setfsuid")
        return work()
    finally:
        try:
            _restore_filesystem_uid(before)
        except BaseException as interruption:
            _restore_filesystem_uid(before)
            if not isinstance(interruption, NotRestored):
                raise


def _restore_filesystem_uid(uid: int) -> None:
    kernel.setfsuid(uid)
    found = kernel.setfsuid(kernel.KEEP)
    if found != uid:
        raise NotRestored(f"filesystem uid is {found}, must be {uid}")


def _switched(
    before: "tuple[Triple, Triple]",
    uids: "Triple | None",
    gids: "Triple | None",
    work: "Callable[[], None]",
) -> None:
    try:
        for ids in (uids, gids):
            if ids is not None and ids.count(kernel.KEEP) > 1:  # the id itself is -1
                raise kernel.KernelError(EINVAL, "setresuid")
        if gids is not None:  # the group first: without root's uid it may be refused
            kernel.setresgid(*gids)
        if uids is not None:
            kernel.setresuid(*uids)
        work()
    finally:
        try:
            _restore(*before)
        except BaseException as interruption:  # by a signal handler of the host, perhaps
            _restore(*before)
            if not isinstance(interruption, NotRestored):
                raise


def _restore(uids: "Triple", gids: "Triple") -> None:
    """Put the ids back, user first, and look whether they are: a call's word is not enough."""
    refusals = []
    for read, before, change in (
        (getresuid, uids, kernel.setresuid),
        (getresgid, gids, kernel.setresgid),
    ):
        found = read()
        if found != before:
            try:
                if found[1] != before[1]:  # with it comes the right to set any other one
                    change(kernel.KEEP, before[1], kernel.KEEP)
                change(*before)
            except kernel.KernelError as error:
                refusals.append(f"{error.call}: {error.strerror}")
    if (getresuid(), getresgid()) != (uids, gids):
        raise NotRestored(
            f"ids are {getresuid()} {getresgid()}, must be {uids} {gids}"
            + "".join(f"; {refusal}" for refusal in refusals)
        )
