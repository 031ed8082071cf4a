"""One line to syslog, in the form of pam_syslog(3).

libc's syslog() is called without openlog(), so that the host's identity and options stay.
"""

from .kernel import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .pam import Pamh

    Say = Callable[..., None]  # a priority, a text, and what replaces %s and %d in it
    # Arguments of it, kept until the ids are restored: a log line carries its sender's ids.
    Lines = list[tuple[int | str, ...]]

ALERT = 1
ERR = 3
WARNING = 4
NOTICE = 5
DEBUG = 7

_AUTHPRIV = 10 << 3


def printable(text: str) -> str:
    """The text, with all characters escaped that could end the line or control a terminal.

    User names come from the network, and must not forge a log line.
    """
    return "".join(
        char if char.isprintable() and char != "\\" else ascii(char)[1:-1] for char in text
    )


def write(pamh: "Pamh", kind: str, priority: int, text: str) -> None:
    """Write one line: ``pam_pykeyinit(SERVICE:KIND): TEXT``."""
    line = printable(f"pam_pykeyinit({_service(pamh)}:{kind}): {text}")
    libc.syslog(_AUTHPRIV | priority, line.encode("utf-8", "backslashreplace"))


def writer(pamh: "Pamh", kind: str, debug: bool) -> "Say":
    """Return a function that writes lines of one call; DEBUG only with the option `debug`."""

    def say(priority: int, text: str, *values: "int | str") -> None:
        if priority != DEBUG or debug:
            write(pamh, kind, priority, text % values if values else text)

    return say


def _service(pamh: "Pamh") -> str:
    """PAM_SERVICE, or what pam_syslog(3) writes if libpam refuses it."""
    try:
        return pamh.service or "<unknown>"
    except Exception:
        return "<unknown>"
