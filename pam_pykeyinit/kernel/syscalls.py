"""The keyctl(2) calls of every login, typed; keyctl.py and setids.py have the others.

Each function is one system call.  It raises only OSError, decides nothing and logs nothing.
"""

from . import libc, sysnums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Serial numbers are positive; these stand for a keyring of the caller (keyctl(2)).
THREAD_KEYRING = -1
SESSION_KEYRING = -3
USER_KEYRING = -4
USER_SESSION_KEYRING = -5

_GET_KEYRING_ID = 0
_JOIN_SESSION_KEYRING = 1
_REVOKE = 3
_LINK = 8

_MAX_ERRNO = 4095  # include/linux/err.h


class KernelError(OSError):
    """A system call failed: `errno`, `strerror`, and `call`, its name for the log."""

    def __init__(self, errno: int, call: str) -> None:
        super().__init__(errno, libc.strerror(errno))
        self.call = call


def call(name: str, number: int, *arguments: "int | bytes | bytearray | None") -> int:
    """Make a system call by its number; `name` is for the log.  Raises KernelError."""
    return checked(name, libc.syscall(number, *arguments))


def checked(name: str, result: int) -> int:
    """Return a result of the kernel, or raise KernelError if it is an error."""
    if -_MAX_ERRNO <= result < 0:  # lower numbers are addresses of a 32-bit process
        raise KernelError(-result, name)
    return result


def get_keyring_id(keyring: int) -> int:
    """The serial number of a keyring, keyctl_get_keyring_ID(3) without `create`.

    This has an effect: for a thread without a session keyring the kernel installs its
    user-session keyring as one (lookup_user_key in the kernel).
    """
    return call("keyctl(GET_KEYRING_ID)", sysnums.KEYCTL, _GET_KEYRING_ID, keyring, 0)


def join_anonymous_session() -> int:
    """Give this thread a new session keyring, owned by its real ids; return the serial number."""
    return call("keyctl(JOIN_SESSION_KEYRING)", sysnums.KEYCTL, _JOIN_SESSION_KEYRING, None)


_NEW_SESSION_NAMES = ("keyctl(JOIN_SESSION_KEYRING)", "keyctl(LINK)")
_NEW_SESSION_CALLS = (
    (sysnums.KEYCTL, _JOIN_SESSION_KEYRING, None),
    (sysnums.KEYCTL, _LINK, USER_KEYRING, SESSION_KEYRING),
)


def new_session(results: "list[int]") -> "Callable[[], None]":
    """Return a function that joins a new session keyring and links the user keyring into it.

    It does nothing else, because it runs with the user's ids, and the user can then stop the
    process.  It appends the results of the kernel to `results`; see check_new_session().
    """
    return libc.later(results, *_NEW_SESSION_CALLS)


def check_new_session(results: "list[int]") -> None:
    """Raise KernelError if a call of new_session() was refused."""
    checked(_NEW_SESSION_NAMES[len(results) - 1], results[-1])


def revoke(key: int) -> None:
    """Make a key unusable for everyone, keyctl_revoke(3)."""
    call("keyctl(REVOKE)", sysnums.KEYCTL, _REVOKE, key)


def has_threads() -> bool:
    """Whether the process has, or had, more than one thread."""
    return not libc.single_threaded()
