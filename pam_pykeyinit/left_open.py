"""Sessions that their handle has left open, for a later handle to close.

Some programs open a session with one PAM handle and close it with another.  The kernel decides
what the later handle may end: only the session keyring of the calling thread.

Imported only where a handle has ended without a close.
"""

from errno import EACCES, EKEYEXPIRED, EKEYREVOKED, ENOENT, ENOKEY

from .failure import failed
from .kernel import keyctl, syscalls
from .kernel.libc import getpid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TypeVar

    from .user import User

    class Left(Protocol):
        """The parts of a session that are used."""

        keyring: int
        opens: int

        def is_of(self, uid: int, pid: int) -> bool:
            """Whether this process created the keyring, for this user."""

    # Functions get the sessions by the serial numbers of their keyrings.
    Session = TypeVar("Session", bound=Left)

_DEAD = (EKEYEXPIRED, EKEYREVOKED, ENOKEY)
MOST = 256  # a daemon that never closes its sessions must not grow


def remember(left: "Session", kept: "dict[int, Session]") -> None:
    """Keep a session whose handle ends.  If there are too many, forget the oldest one."""
    while len(kept) >= MOST:
        kept.pop(next(iter(kept)), None)
    kept[left.keyring] = left


def close(user: "User", kept: "dict[int, Session]") -> "Session | None":
    """Count a close of the session that this thread is in.  Return it if an ended handle of the
    user left it open.

    A thread inherits its session keyring from the thread or process that created it.  A forked
    child inherits the memory too, but the session is its parent's.
    Raises Failed.
    """
    try:
        left = _in_place(user.uid, kept)
    except syscalls.KernelError as error:
        if error.errno in _DEAD:
            return None  # it has ended
        raise failed(error, f"perhaps a session of {user.name} is not revoked") from error
    if left is not None:
        left.opens -= 1
    return left


def _in_place(uid: int, kept: "dict[int, Session]") -> "Session | None":
    """The session whose keyring this thread has.  Raises KernelError."""
    pid = getpid()
    theirs = {serial: left for serial, left in list(kept.items()) if left.is_of(uid, pid)}
    if not any(map(_is_possessed, theirs)):
        return None
    serial = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
    if serial not in theirs:
        return None
    kind, owner, *_ = keyctl.describe(serial)  # the kernel reuses serial numbers
    return theirs[serial] if (kind, owner) == ("keyring", uid) else None


def _is_possessed(serial: int) -> bool:
    """Whether this thread may search a keyring, or write to it, as its possessor may.

    Of a serial number the call has no effect.  To ask for the session keyring of a thread without
    one has: the host's user-session keyring would be that of the thread's next user.
    Raises KernelError.
    """
    try:
        return syscalls.get_keyring_id(serial) == serial
    except syscalls.KernelError as error:
        if error.errno in _DEAD:
            return False
        if error.errno != EACCES:
            raise
    try:  # a security module may refuse the search alone; a keyring has no link to itself
        keyctl.unlink(serial, serial)
    except syscalls.KernelError as error:
        return error.errno == ENOENT
    return True
