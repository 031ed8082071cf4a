"""Calls that claims are looked at with, where the layers of the project have none."""

import ctypes
import errno
from collections.abc import Callable
from typing import Any

import keyutils

from pam_pykeyinit import kernel, sysnums
from pykeyinit_helper import keyctl

THREAD, SESSION = kernel.THREAD_KEYRING, kernel.SESSION_KEYRING
USER, USER_SESSION = kernel.USER_KEYRING, kernel.USER_SESSION_KEYRING
PROCESS = keyctl.PROCESS_KEYRING
EVERYTHING = 0x3F3F0000  # for possessor and owner

_GET_KEYRING_ID = 0
_libc = ctypes.CDLL(None, use_errno=True)


def make(keyring: int) -> int:
    """The serial number of a special keyring, which is made if it is not there."""
    serial: int = _libc.syscall(sysnums.KEYCTL, _GET_KEYRING_ID, keyring, 1)
    if serial < 0:
        raise kernel.KernelError(ctypes.get_errno(), "keyctl(GET_KEYRING_ID)")
    return serial


def ask(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call gives, or the name of the errno that it is refused with."""
    try:
        return call(*arguments)
    except kernel.KernelError as error:
        return errno.errorcode[error.errno or 0]
    except keyutils.Error as error:
        return errno.errorcode[error.args[0]]


def keep(keyring: int, name: str = "a key") -> int:
    """Put a key into a keyring; its serial number."""
    return keyctl.add_user_key(name, b"x", keyring)


def find(name: str = "a key") -> Any:
    """What request_key(2) finds: a serial number, or the name of the errno."""
    found = ask(keyutils.request_key, name.encode(), 0)
    return "ENOKEY" if found is None else found


def search(keyring: int, name: str = "a key") -> Any:
    """What keyctl_search(3) finds below a keyring, or the name of the errno."""
    found = ask(keyutils.search, keyring, name.encode())
    return "ENOKEY" if found is None else found


def links(keyring: int) -> list[int]:
    """The serial numbers that a keyring holds.  Raises keyutils.Error."""
    read = keyutils.read_key(keyring)
    return [int.from_bytes(read[i : i + 4], "little") for i in range(0, len(read), 4)]


def state(serial: int) -> str:
    """A key by its number: "there", or the name of the errno."""
    described = ask(keyctl.describe, serial)
    return described if isinstance(described, str) else "there"


def name_of(keyring: int) -> str:
    """The description of a keyring."""
    return keyctl.describe(keyring)[4]


def expire(serial: int, seconds: int) -> None:
    """Let a key expire, keyctl_set_timeout(3)."""
    keyutils.set_timeout(serial, seconds)
