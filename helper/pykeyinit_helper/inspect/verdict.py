"""The kernel's answer about a key, without starting request-key(8) and without changes."""

import errno

from keyutils import Error, request_key
from keyutils import search as search_keyring

from pam_pykeyinit.failure import name_of
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import keyctl

_REFUSALS = ("ENOSYS", "EPERM", "EACCES")

THERE_EVERYWHERE = ("user", "logon", "keyring")  # security/keys has them built in


def request(kind: str, description: str) -> tuple[int, str]:
    """The result of request_key(2) without callout information: a serial number, or an errno."""
    try:
        found = request_key(_bytes(description), 0, _bytes(kind))
    except Error as error:
        return 0, _name(error)
    return (found, "") if found else (0, "ENOKEY")


def search(keyring: int, kind: str, description: str) -> tuple[int, str]:
    """The same for KEYCTL_SEARCH in one keyring.

    It returns EKEYEXPIRED for an expired key that request_key(2) skips.
    """
    try:
        found = search_keyring(keyring, _bytes(description), 0, _bytes(kind))
    except Error as error:
        return 0, _name(error)
    return (found, "") if found else (0, "ENOKEY")


def read(key: int) -> str:
    """The errno of reading a key, or "".  EOPNOTSUPP: its type cannot be read."""
    try:
        keyctl.read_size(key)
    except syscalls.KernelError as error:
        return "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else name_of(error)
    return ""


def filtered() -> dict[str, str]:
    """Which of add_key(2) and request_key(2) is always refused, and with which errno.

    For example by a seccomp filter that allows only keyctl(2).
    """
    found = {}
    try:
        keyctl.add_key_without_arguments()
    except syscalls.KernelError as error:
        if name_of(error) in _REFUSALS:
            found["add_key"] = name_of(error)
    # The type "user" always exists, and a missing key needs no permission.
    _, refusal = request("user", "pykeyinit-helper: is request_key allowed?")
    if refusal in _REFUSALS:
        found["request_key"] = refusal
    return found


def has_type(kind: str) -> bool:
    """Whether this kernel has a type of keys.  If that is unknown, the answer is yes.

    There is no list, but add_key(2) checks the type before the payload.  If it creates a key,
    this is in this process's own keyring, and ends with it.
    """
    if kind in THERE_EVERYWHERE:
        return True
    try:
        keyctl.add_empty_key(_bytes(kind), keyctl.PROCESS_KEYRING)
    except syscalls.KernelError as error:
        return error.errno != errno.ENODEV
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _name(error: Error) -> str:
    return str(errno.errorcode.get(error.args[0], error.args[0]))
