"""A small key in a session keyring with the origin of the session, for people.

`keyctl show` lists it, and `pykeyinit-helper show` prints it.  The user can replace it, so
nothing may rely on it.
"""

from errno import EACCES, EDQUOT
from time import gmtime, strftime

from .. import log
from ..failure import name_of
from ..kernel import identity, keyctl, syscalls
from ..kernel.libc import getpid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..log import Lines
    from ..pam import Pamh

NAME = "pam_pykeyinit"
_MOST_CHARACTERS = 256  # of a value; a host name has at most 253
_RIGHTS = 0x0B030000  # possessor: view, read, search; user: view, read


def origin(pamh: "Pamh") -> str:
    """The text of the tag: NAME=VALUE, separated by spaces."""
    values = {
        "service": pamh.service,
        "tty": _item(pamh, "tty"),
        "rhost": _item(pamh, "rhost"),
        "time": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime()),
        "pid": str(getpid()),
    }
    return " ".join(f"{name}={_word(value)}" for name, value in values.items() if value)


def _item(pamh: "Pamh", name: str) -> "str | None":
    try:
        found: str | None = getattr(pamh, name)
    except (pamh.exception, ValueError):  # pam_python raises it if the item is not UTF-8
        return None
    return found


def _word(value: str) -> str:
    """A value from outside as one word, so that it does not look like two values or lines."""
    return log.printable(value[:_MOST_CHARACTERS]).replace(" ", "\\x20")


def leave(text: str, uid: int, lines: "Lines") -> None:
    """Add the tag to the session keyring, with the user's real ids.  A failure is only logged."""
    try:
        identity.with_filesystem_uid(uid, lambda: _leave(text.encode("utf-8", "backslashreplace")))
    except syscalls.KernelError as error:
        # A shared keyring already has a tag, which is not writable.
        quiet = error.errno in (EACCES, EDQUOT)
        line = f"{error.call}: {name_of(error)}: the session keyring gets no tag"
        lines.append((log.DEBUG if quiet else log.NOTICE, line))
    else:
        lines.append((log.DEBUG, "added a tag"))


def _leave(payload: bytes) -> None:
    key = keyctl.add_user_key(NAME, payload, syscalls.SESSION_KEYRING)
    keyctl.set_permissions(key, _RIGHTS)
