"""The keyctl(2) and add_key(2) calls that only the helper needs, typed.

Like pam_pykeyinit.kernel, and beside it so that a login imports nothing of this: every
function is one system call, raises KernelError and nothing else, decides nothing.
"""

import _ctypes

from pam_pykeyinit import libc, sysnums
from pam_pykeyinit.kernel import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROCESS_KEYRING = -2

_JOIN_SESSION_KEYRING = 1
_DESCRIBE = 6
_SESSION_TO_PARENT = 18
_GET_PERSISTENT = 22

_DESCRIPTION_SPACE = 4096 + 64  # the longest description, and the fields in front of it


_Array: "Any" = _ctypes.Array  # mypy 1.11 stumbles over a subclass of its own idea of it


class _Char(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "c"


class _Space(_Array):  # type: ignore[misc]
    _type_ = _Char
    _length_ = _DESCRIPTION_SPACE


# With a text as the operation's first argument; and with a key, a buffer, and its size.
_with_name = libc.function("syscall", "l", "llz")
_into_space = libc.function("syscall", "l", "lllPl")


def _checked(result: int, call: str) -> int:
    if result < 0:
        raise KernelError(libc.errno(), call)
    return result


def _numbers(call: str, operation: int, *arguments: int) -> int:
    a, b, c = (*arguments, 0, 0, 0)[:3]
    result: int = libc.syscall_numbers(sysnums.KEYCTL, operation, a, b, c)
    return _checked(result, call)


def describe(key: int) -> "tuple[str, int, int, int, str]":
    """Type, owner's uid, gid, permissions mask and description, keyctl_describe(3)."""
    space = _Space()
    length = _into_space(sysnums.KEYCTL, _DESCRIBE, key, space, _DESCRIPTION_SPACE)
    _checked(length, "keyctl(DESCRIBE)")
    text = bytes(space.raw[: length - 1]).decode("utf-8", "surrogateescape")
    kind, uid, gid, mask, description = text.split(";", 4)
    return kind, int(uid), int(gid), int(mask, 16), description


def join_named_session(name: str) -> None:
    """Join the session keyring of that name, or make one, keyctl_join_session_keyring(3).

    It may be another user's: whoever made the name first and granted search to others.
    Nothing is returned, for the kernel gives 0 in place of the serial number where it is
    the session keyring already.  A name that begins with a dot is EPERM.
    """
    result = _with_name(sysnums.KEYCTL, _JOIN_SESSION_KEYRING, _encoded(name))
    _checked(result, "keyctl(JOIN_SESSION_KEYRING)")


def add_user_key(description: str, payload: bytes, keyring: int) -> int:
    """Make or update a key of type "user", add_key(2); its serial number."""
    result: int = libc.syscall_add_key(
        sysnums.ADD_KEY, b"user", _encoded(description), payload, len(payload), keyring
    )
    return _checked(result, "add_key(user)")


def get_persistent(uid: int, keyring: int) -> int:
    """Link a user's persistent keyring into a keyring, keyctl_get_persistent(3); -1: own."""
    return _numbers("keyctl(GET_PERSISTENT)", _GET_PERSISTENT, uid, keyring)


def session_to_parent() -> None:
    """Give the parent process this one's session keyring, keyctl_session_to_parent(3).

    It takes effect when the parent next returns to user space.
    """
    _numbers("keyctl(SESSION_TO_PARENT)", _SESSION_TO_PARENT)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
