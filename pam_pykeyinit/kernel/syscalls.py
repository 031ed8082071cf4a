"""keyctl(2), add_key(2) and the raw set*id(2), typed.

Each function is one system call.  It raises only OSError, decides nothing and logs nothing.  The
id calls change only the calling thread (see sysnums).
"""

import sys

from . import libc, sysnums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Serial numbers are positive; these stand for a keyring of the caller (keyctl(2)).
THREAD_KEYRING = -1
SESSION_KEYRING = -3
USER_KEYRING = -4
USER_SESSION_KEYRING = -5

# Permissions of a key (include/linux/key.h).
POSSESSOR_SEARCH = 0x08000000
POSSESSOR_SETATTR = 0x20000000
OWNER_SEARCH = 0x00080000
OWNER_LINK = 0x00100000
OWNER_SETATTR = 0x00200000

_IDS = 2**32
KEEP = -1  # setresuid(2) and setresgid(2) do not change this id

_GET_KEYRING_ID = 0
_JOIN_SESSION_KEYRING = 1
_REVOKE = 3
_SETPERM = 5
_LINK = 8
_UNLINK = 9
_INVALIDATE = 21

_MAX_ERRNO = 4095  # include/linux/err.h


class KernelError(OSError):
    """A system call failed: `errno`, `strerror`, and `call`, its name for the log."""

    def __init__(self, errno: int, call: str) -> None:
        super().__init__(errno, libc.strerror(errno))
        self.call = call


def _call(name: str, number: int, *arguments: "int | bytes | bytearray | None") -> int:
    return _checked(name, libc.syscall(number, *arguments))


def _checked(name: str, result: int) -> int:
    if -_MAX_ERRNO <= result < 0:  # lower numbers are addresses of a 32-bit process
        raise KernelError(-result, name)
    return result


def get_keyring_id(keyring: int) -> int:
    """The serial number of a special keyring, keyctl_get_keyring_ID(3) without `create`.

    This has an effect: for a thread without a session keyring the kernel installs its
    user-session keyring as one (lookup_user_key in the kernel).
    """
    return _call("keyctl(GET_KEYRING_ID)", sysnums.KEYCTL, _GET_KEYRING_ID, keyring, 0)


def join_anonymous_session() -> int:
    """Give this thread a new session keyring, owned by its real ids; return the serial number."""
    return _call("keyctl(JOIN_SESSION_KEYRING)", sysnums.KEYCTL, _JOIN_SESSION_KEYRING, None)


_NEW_SESSION = ("keyctl(JOIN_SESSION_KEYRING)", "keyctl(LINK)")


def new_session(results: "list[int]") -> "Callable[[], None]":
    """Return a function that joins a new session keyring and links the user keyring into it.

    It does nothing else, because it runs with the user's ids, and the user can then stop the
    process.  It appends the results of the kernel to `results`; see check_new_session().
    """
    return libc.later(
        results,
        (sysnums.KEYCTL, _JOIN_SESSION_KEYRING, None),
        (sysnums.KEYCTL, _LINK, USER_KEYRING, SESSION_KEYRING),
    )


def check_new_session(results: "list[int]") -> None:
    """Raise KernelError if a call of new_session() was refused."""
    _checked(_NEW_SESSION[len(results) - 1], results[-1])


def link(key: int, keyring: int) -> None:
    """Link a key into a keyring, keyctl_link(3)."""
    _call("keyctl(LINK)", sysnums.KEYCTL, _LINK, key, keyring)


def unlink(key: int, keyring: int) -> None:
    """Remove the link to a key from a keyring, keyctl_unlink(3)."""
    _call("keyctl(UNLINK)", sysnums.KEYCTL, _UNLINK, key, keyring)


def revoke(key: int) -> None:
    """Make a key unusable for everyone, keyctl_revoke(3)."""
    _call("keyctl(REVOKE)", sysnums.KEYCTL, _REVOKE, key)


def invalidate(key: int) -> None:
    """Remove a key, and the links to it, from every keyring, keyctl_invalidate(3)."""
    _call("keyctl(INVALIDATE)", sysnums.KEYCTL, _INVALIDATE, key)


def set_permissions(key: int, mask: int) -> None:
    """Set a key's permissions mask, keyctl_setperm(3)."""
    _call("keyctl(SETPERM)", sysnums.KEYCTL, _SETPERM, key, mask)


def add_keyring(description: str, keyring: int) -> int:
    """Create a keyring in another one, add_key(2); return its serial number."""
    return _call(
        "add_key(keyring)", sysnums.ADD_KEY, b"keyring", description.encode(), None, 0, keyring
    )


def keep_credentials() -> int:
    """Keep this thread's keyrings after the thread ends; return a handle.

    In the kernel a file keeps the credentials of the thread that opened it (f_cred), and shared
    memory is a file.  They are kept until release_credentials(), or until the process ends.
    """
    return _checked("mmap", libc.map_page())


def release_credentials(handle: int) -> None:
    """Undo keep_credentials()."""
    _checked("munmap", libc.unmap_page(handle))


def has_threads() -> bool:
    """Whether the process has, or had, more than one thread."""
    return not libc.single_threaded()


def setresuid(real: int, effective: int, saved: int) -> None:
    """setresuid(2) for the calling thread alone."""
    _call("setresuid", sysnums.SETRESUID, real, effective, saved)


def setresgid(real: int, effective: int, saved: int) -> None:
    """setresgid(2) for the calling thread alone."""
    _call("setresgid", sysnums.SETRESGID, real, effective, saved)


def setfsuid(uid: int) -> int:
    """setfsuid(2) for the calling thread alone; the id that was in place before.

    It never fails: call it with KEEP to read the current id.
    """
    result = libc.syscall(sysnums.SETFSUID, uid)
    # On 32-bit systems an id from 2^31 on is negative, and the largest ones look like an errno.
    may_be_id = sys.maxsize < _IDS and sysnums.SETFSUID != sysnums.NO_SUCH_CALL
    return (result if may_be_id else _checked("setfsuid", result)) % _IDS
