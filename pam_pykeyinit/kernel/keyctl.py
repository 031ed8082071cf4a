"""The keyctl(2), add_key(2) and other calls that only some options and the helper need, typed.

As in syscalls.py, each function is one system call, raises only KernelError, and decides
nothing.  This is a separate file so that an ordinary login does not import it.
"""

from . import sysnums
from .syscalls import _call

_JOIN_SESSION_KEYRING = 1
_DESCRIBE = 6
_SET_TIMEOUT = 15
_GET_PERSISTENT = 22

_LOCK_SHARED_NOW = 1 | 4  # LOCK_SH | LOCK_NB
_LOCK_EXCLUSIVE_NOW = 2 | 4  # LOCK_EX | LOCK_NB
_LOCK_RELEASE = 8  # LOCK_UN

_IDS = 2**32
_DESCRIPTION_SPACE = 4096 + 64  # the longest description, and the fields before it


def describe(key: int) -> "tuple[str, int, int, int, str]":
    """Type, owner's uid, gid, permissions mask and description, keyctl_describe(3)."""
    space = bytearray(_DESCRIPTION_SPACE)
    length = _call("keyctl(DESCRIBE)", sysnums.KEYCTL, _DESCRIBE, key, space, len(space))
    return fields(space[: length - 1])


def fields(described: "bytes | bytearray") -> "tuple[str, int, int, int, str]":
    """Parse the kernel's description of a key.  Pure.

    The kernel prints ids as signed numbers: 2^31 and above look negative.
    """
    kind, uid, gid, mask, description = described.decode("utf-8", "surrogateescape").split(";", 4)
    return kind, int(uid) % _IDS, int(gid) % _IDS, int(mask, 16), description


def join_named_session(name: str) -> int:
    """Join the session keyring of that name, or create it, keyctl_join_session_keyring(3).

    It may belong to another user, who created it first and granted search to others.
    Returns its serial number, or 0 if it is the session keyring already.  A name that begins
    with a dot gives EPERM.
    """
    return _call(
        "keyctl(JOIN_SESSION_KEYRING)", sysnums.KEYCTL, _JOIN_SESSION_KEYRING, _encoded(name)
    )


def add_user_key(description: str, payload: "bytes | bytearray", keyring: int) -> int:
    """Create or update a key of type "user", add_key(2); return its serial number."""
    return _call(
        "add_key(user)", sysnums.ADD_KEY,
        b"user", _encoded(description), payload, len(payload), keyring,
    )  # fmt: skip


def get_persistent(uid: int, keyring: int) -> int:
    """Link a user's persistent keyring into a keyring, keyctl_get_persistent(3); -1: own."""
    return _call("keyctl(GET_PERSISTENT)", sysnums.KEYCTL, _GET_PERSISTENT, uid, keyring)


def set_timeout(key: int, seconds: int) -> None:
    """Let a key expire after some seconds; 0 removes the timeout, keyctl_set_timeout(3)."""
    _call("keyctl(SET_TIMEOUT)", sysnums.KEYCTL, _SET_TIMEOUT, key, seconds)


def lock(descriptor: int) -> None:
    """Take an exclusive lock of an open file, flock(2); EAGAIN if another process holds it."""
    _call("flock", sysnums.FLOCK, descriptor, _LOCK_EXCLUSIVE_NOW)


def lock_shared(descriptor: int) -> None:
    """Take a shared lock; EAGAIN if another process holds it exclusively."""
    _call("flock", sysnums.FLOCK, descriptor, _LOCK_SHARED_NOW)


def unlock(descriptor: int) -> None:
    """Release the lock, also for the copies of the descriptor in forked children."""
    _call("flock", sysnums.FLOCK, descriptor, _LOCK_RELEASE)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
