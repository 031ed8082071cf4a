"""The keyctl(2) calls that only the helper needs; see also pam_pykeyinit.kernel.keyctl."""

import struct

from pam_pykeyinit.kernel import syscalls, sysnums
from pam_pykeyinit.kernel.keyctl import (
    add_user_key,
    describe,
    get_persistent,
    join_named_session,
    link,
    unlink,
)
from pam_pykeyinit.kernel.syscalls import call

__all__ = [
    "DEAD",
    "PROCESS_KEYRING",
    "SPECIAL",
    "add_empty_key",
    "add_key_without_arguments",
    "add_user_key",
    "describe",
    "get_persistent",
    "join_named_session",
    "link",
    "links",
    "read_size",
    "session_to_parent",
    "unlink",
]

PROCESS_KEYRING = -2
SPECIAL = {
    "@t": syscalls.THREAD_KEYRING,
    "@p": PROCESS_KEYRING,
    "@s": syscalls.SESSION_KEYRING,
    "@u": syscalls.USER_KEYRING,
    "@us": syscalls.USER_SESSION_KEYRING,
}

# The errnos of a key that has ended, and what has become of it.
DEAD = {"EKEYREVOKED": "revoked", "EKEYEXPIRED": "expired", "ENOKEY": "gone"}

_READ = 11
_SESSION_TO_PARENT = 18

_LINK_BYTES = 4


def session_to_parent() -> None:
    """Give the parent process this one's session keyring, keyctl_session_to_parent(3).

    It takes effect when the parent next returns to user space.
    """
    call("keyctl(SESSION_TO_PARENT)", sysnums.KEYCTL, _SESSION_TO_PARENT)


def read_size(key: int) -> int:
    """The number of bytes that keyctl_read(3) would return, without reading them."""
    return call("keyctl(READ)", sysnums.KEYCTL, _READ, key, None, 0)


def links(keyring: int) -> "list[int]":
    """The serial numbers of the keys in a keyring."""
    space = bytearray(read_size(keyring) + 64 * _LINK_BYTES)  # it may grow meanwhile
    size = call("keyctl(READ)", sysnums.KEYCTL, _READ, keyring, space, len(space))
    whole = min(size, len(space)) // _LINK_BYTES * _LINK_BYTES
    return [serial for (serial,) in struct.iter_unpack("i", space[:whole])]


def add_key_without_arguments() -> int:
    """add_key(2) without arguments: EFAULT, unless a filter forbids the call."""
    return call("add_key", sysnums.ADD_KEY, None, None, None, 0, 0)


def add_empty_key(kind: bytes, keyring: int) -> int:
    """add_key(2) without a payload: ENODEV if the type does not exist."""
    return call(f"add_key({kind!r})", sysnums.ADD_KEY, kind, b"empty", None, 0, keyring)
