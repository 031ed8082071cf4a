"""One line to syslog, in the form of pam_syslog(3).

libc's syslog() is called without openlog(), so that the host's identity and options stay.
"""

from .kernel import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .pam import Pamh

    Say = Callable[..., None]  # Log.write
    # Arguments of it, kept until the ids are restored: a log line carries its sender's ids.
    Lines = list[tuple[int, str] | tuple[int, str, int] | tuple[int, str, int, int]]

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


class Log:
    """Lines of one call of the module: ``pam_pykeyinit(SERVICE:KIND): TEXT``."""

    __slots__ = ("_kind", "_pamh", "debug")

    def __init__(self, kind: str, pamh: "Pamh") -> None:
        self._kind = kind
        self._pamh = pamh
        self.debug = False

    def write(self, priority: int, text: str, *numbers: int) -> None:
        """Write one line, with the numbers for %d; DEBUG only with the option `debug`."""
        if priority != DEBUG or self.debug:
            text = text % numbers if numbers else text
            line = printable(f"pam_pykeyinit({self._service()}:{self._kind}): {text}")
            libc.syslog(_AUTHPRIV | priority, line.encode("utf-8", "backslashreplace"))

    def _service(self) -> str:
        """PAM_SERVICE, or what pam_syslog(3) writes if libpam refuses it."""
        try:
            return self._pamh.service or "<unknown>"
        except Exception:
            return "<unknown>"
