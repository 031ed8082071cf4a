"""The keyctl(2) and add_key(2) calls that only the helper needs, typed.

Like pam_pykeyinit.kernel, and beside it so that a login imports nothing of this: every
function is one system call, raises KernelError and nothing else, decides nothing.
"""

from pam_pykeyinit import libc, sysnums
from pam_pykeyinit.kernel import KernelError

PROCESS_KEYRING = -2

_JOIN_SESSION_KEYRING = 1
_DESCRIBE = 6
_SESSION_TO_PARENT = 18
_GET_PERSISTENT = 22

_DESCRIPTION_SPACE = 4096 + 64  # the longest description, and the fields in front of it


def _call(name: str, number: int, *arguments: "int | bytes | bytearray | None") -> int:
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise KernelError(libc.errno(), name)
    return result


def describe(key: int) -> "tuple[str, int, int, int, str]":
    """Type, owner's uid, gid, permissions mask and description, keyctl_describe(3)."""
    space = bytearray(_DESCRIPTION_SPACE)
    length = _call("keyctl(DESCRIBE)", sysnums.KEYCTL, _DESCRIBE, key, space, len(space))
    text = space[: length - 1].decode("utf-8", "surrogateescape")
    kind, uid, gid, mask, description = text.split(";", 4)
    return kind, int(uid), int(gid), int(mask, 16), description


def join_named_session(name: str) -> None:
    """Join the session keyring of that name, or make one, keyctl_join_session_keyring(3).

    It may be another user's: whoever made the name first and granted search to others.
    Nothing is returned, for the kernel gives 0 in place of the serial number where it is
    the session keyring already.  A name that begins with a dot is EPERM.
    """
    _call("keyctl(JOIN_SESSION_KEYRING)", sysnums.KEYCTL, _JOIN_SESSION_KEYRING, _encoded(name))


def add_user_key(description: str, payload: bytes, keyring: int) -> int:
    """Make or update a key of type "user", add_key(2); its serial number."""
    return _call(
        "add_key(user)", sysnums.ADD_KEY,
        b"user", _encoded(description), payload, len(payload), keyring,
    )  # fmt: skip


def get_persistent(uid: int, keyring: int) -> int:
    """Link a user's persistent keyring into a keyring, keyctl_get_persistent(3); -1: own."""
    return _call("keyctl(GET_PERSISTENT)", sysnums.KEYCTL, _GET_PERSISTENT, uid, keyring)


def session_to_parent() -> None:
    """Give the parent process this one's session keyring, keyctl_session_to_parent(3).

    It takes effect when the parent next returns to user space.
    """
    _call("keyctl(SESSION_TO_PARENT)", sysnums.KEYCTL, _SESSION_TO_PARENT)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
