"""The keyctl(2), add_key(2) and other calls that only some options and the helper need, typed.

As in syscalls.py, each function is one system call, raises only KernelError, and decides
nothing.  This is a separate file so that an ordinary login does not import it.
"""

from . import libc, sysnums
from .syscalls import call, checked

# Permissions of a key (include/linux/key.h).
POSSESSOR_SEARCH = 0x08000000
POSSESSOR_SETATTR = 0x20000000
OWNER_SEARCH = 0x00080000
OWNER_LINK = 0x00100000
OWNER_SETATTR = 0x00200000

_JOIN_SESSION_KEYRING = 1
_SETPERM = 5
_DESCRIBE = 6
_LINK = 8
_UNLINK = 9
_SET_TIMEOUT = 15
_INVALIDATE = 21
_GET_PERSISTENT = 22

_LOCK_SHARED_NOW = 1 | 4  # LOCK_SH | LOCK_NB
_LOCK_EXCLUSIVE_NOW = 2 | 4  # LOCK_EX | LOCK_NB
_LOCK_RELEASE = 8  # LOCK_UN

_IDS = 2**32
_DESCRIPTION_SPACE = 4096 + 64  # the longest description, and the fields before it


def describe(key: int) -> "tuple[str, int, int, int, str]":
    """Type, owner's uid, gid, permissions mask and description, keyctl_describe(3)."""
    space = bytearray(_DESCRIPTION_SPACE)
    length = call("keyctl(DESCRIBE)", sysnums.KEYCTL, _DESCRIBE, key, space, len(space))
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
    return call(
        "keyctl(JOIN_SESSION_KEYRING)", sysnums.KEYCTL, _JOIN_SESSION_KEYRING, _encoded(name)
    )


def add_keyring(description: str, keyring: int) -> int:
    """Create a keyring in another one, add_key(2); return its serial number."""
    return call(
        "add_key(keyring)", sysnums.ADD_KEY, b"keyring", description.encode(), None, 0, keyring
    )


def add_user_key(description: str, payload: "bytes | bytearray", keyring: int) -> int:
    """Create or update a key of type "user", add_key(2); return its serial number."""
    return call(
        "add_key(user)", sysnums.ADD_KEY,
        b"user", _encoded(description), payload, len(payload), keyring,
    )  # fmt: skip


def get_persistent(uid: int, keyring: int) -> int:
    """Link a user's persistent keyring into a keyring, keyctl_get_persistent(3); -1: own."""
    return call("keyctl(GET_PERSISTENT)", sysnums.KEYCTL, _GET_PERSISTENT, uid, keyring)


def link(key: int, keyring: int) -> None:
    """Link a key into a keyring, keyctl_link(3)."""
    call("keyctl(LINK)", sysnums.KEYCTL, _LINK, key, keyring)


def unlink(key: int, keyring: int) -> None:
    """Remove the link to a key from a keyring, keyctl_unlink(3)."""
    call("keyctl(UNLINK)", sysnums.KEYCTL, _UNLINK, key, keyring)


def invalidate(key: int) -> None:
    """Remove a key, and the links to it, from every keyring, keyctl_invalidate(3)."""
    call("keyctl(INVALIDATE)", sysnums.KEYCTL, _INVALIDATE, key)


def set_permissions(key: int, mask: int) -> None:
    """Set a key's permissions mask, keyctl_setperm(3)."""
    call("keyctl(SETPERM)", sysnums.KEYCTL, _SETPERM, key, mask)


def set_timeout(key: int, seconds: int) -> None:
    """Let a key expire after some seconds; 0 removes the timeout, keyctl_set_timeout(3)."""
    call("keyctl(SET_TIMEOUT)", sysnums.KEYCTL, _SET_TIMEOUT, key, seconds)


def lock(descriptor: int) -> None:
    """Take an exclusive lock of an open file, flock(2); EAGAIN if another process holds it."""
    call("flock", sysnums.FLOCK, descriptor, _LOCK_EXCLUSIVE_NOW)


def lock_shared(descriptor: int) -> None:
    """Take a shared lock; EAGAIN if another process holds it exclusively."""
    call("flock", sysnums.FLOCK, descriptor, _LOCK_SHARED_NOW)


def unlock(descriptor: int) -> None:
    """Release the lock, also for the copies of the descriptor in forked children."""
    call("flock", sysnums.FLOCK, descriptor, _LOCK_RELEASE)


def keep_credentials() -> int:
    """Keep this thread's keyrings after the thread ends; return a handle.

    In the kernel a file keeps the credentials of the thread that opened it (f_cred), and shared
    memory is a file.  They are kept until release_credentials(), or until the process ends.
    """
    return checked("mmap", libc.map_page())


def release_credentials(handle: int) -> None:
    """Undo keep_credentials()."""
    checked("munmap", libc.unmap_page(handle))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
