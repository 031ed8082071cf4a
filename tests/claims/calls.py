"""Calls for trying claims, where the layers of the project have none."""

import errno
import sys
from collections.abc import Callable
from typing import Any

from pam_pykeyinit.kernel import keyctl, syscalls, sysnums
from pam_pykeyinit.kernel.syscalls import call
from pykeyinit_helper import keyctl as helper_keyctl

THREAD, SESSION = syscalls.THREAD_KEYRING, syscalls.SESSION_KEYRING
USER, USER_SESSION = syscalls.USER_KEYRING, syscalls.USER_SESSION_KEYRING
PROCESS = helper_keyctl.PROCESS_KEYRING
EVERYTHING = 0x3F3F0000  # for possessor and owner

_GET_KEYRING_ID = 0
_SEARCH = 10
_READ = 11
_REQUEST_KEY = sysnums.ADD_KEY + 1  # on all architectures
_MOST_LINKS = 1000


def make(keyring: int) -> int:
    """The serial number of a special keyring; create it if it does not exist."""
    return call("keyctl(GET_KEYRING_ID)", sysnums.KEYCTL, _GET_KEYRING_ID, keyring, 1)


def ask(call: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a call, or the name of its errno."""
    try:
        return call(*arguments)
    except syscalls.KernelError as error:
        return errno.errorcode[error.errno or 0]


def keep(keyring: int, name: str = "a key") -> int:
    """Add a key to a keyring; return its serial number."""
    return keyctl.add_user_key(name, b"x", keyring)


def find(name: str = "a key") -> Any:
    """The result of request_key(2): a serial number, or the name of the errno."""
    return ask(call, "request_key", _REQUEST_KEY, b"user", name.encode(), None, 0)


def search(keyring: int, name: str = "a key", kind: str = "user") -> Any:
    """The result of keyctl_search(3) below a keyring, or the name of the errno."""
    words = kind.encode(), name.encode()
    return ask(call, "keyctl(SEARCH)", sysnums.KEYCTL, _SEARCH, keyring, *words, 0)


def links(keyring: int) -> list[int]:
    """The serial numbers of the keys in a keyring."""
    read = bytearray(4 * _MOST_LINKS)
    size = call("keyctl(READ)", sysnums.KEYCTL, _READ, keyring, read, len(read))
    return [int.from_bytes(read[i : i + 4], sys.byteorder) for i in range(0, size, 4)]


def state(serial: int) -> str:
    """The state of a key by its number: "there", or the name of the errno."""
    described = ask(keyctl.describe, serial)
    return described if isinstance(described, str) else "there"


def name_of(keyring: int) -> str:
    """The description of a keyring."""
    return keyctl.describe(keyring)[4]


def expire(serial: int, seconds: int) -> None:
    """Let a key expire, keyctl_set_timeout(3)."""
    keyctl.set_timeout(serial, seconds)
