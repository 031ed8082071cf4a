"""What the kernel answers about a key, without a request to user space and without changes."""

import errno

from keyutils import Error, request_key
from keyutils import search as search_keyring

from pam_pykeyinit.failure import name_of
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import keyctl

_REFUSALS = ("ENOSYS", "EPERM", "EACCES")

THERE_EVERYWHERE = ("user", "logon", "keyring")  # security/keys has them built in


def request(kind: str, description: str) -> tuple[int, str]:
    """What request_key(2) without callout information finds: a serial number, or an errno."""
    try:
        found = request_key(_bytes(description), 0, _bytes(kind))
    except Error as error:
        return 0, _name(error)
    return (found, "") if found else (0, "ENOKEY")


def search(keyring: int, kind: str, description: str) -> tuple[int, str]:
    """The same for KEYCTL_SEARCH in one keyring.

    It answers EKEYEXPIRED where request_key(2) passes over a key that has expired.
    """
    try:
        found = search_keyring(keyring, _bytes(description), 0, _bytes(kind))
    except Error as error:
        return 0, _name(error)
    return (found, "") if found else (0, "ENOKEY")


def read(key: int) -> str:
    """The errno that reading a key gives, or "".  EOPNOTSUPP: its type has no reading."""
    try:
        keyctl.read_size(key)
    except syscalls.KernelError as error:
        return "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else name_of(error)
    return ""


def filtered() -> dict[str, str]:
    """Which of add_key(2) and request_key(2) is refused whatever it is asked, and how.

    As a seccomp filter does it that allows keyctl(2) alone.
    """
    found = {}
    try:
        keyctl.add_key_without_arguments()
    except syscalls.KernelError as error:
        if name_of(error) in _REFUSALS:
            found["add_key"] = name_of(error)
    # There is always the type "user", and no permission is asked for a key that is not there.
    _, refusal = request("user", "pykeyinit-helper: is request_key allowed?")
    if refusal in _REFUSALS:
        found["request_key"] = refusal
    return found


def has_type(kind: str) -> bool:
    """Whether this kernel has a type of keys.  Where it cannot be told it has.

    There is no list; add_key(2) looks for the type before it looks at the payload.  What it
    makes all the same lies in this process's own keyring, and ends with it.
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
