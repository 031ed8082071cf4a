"""One line to syslog, in the form of pam_syslog(3).

libc's syslog() is called without openlog(): the host's identity and options stay its own.
"""

from . import libc

ALERT = 1
ERR = 3
WARNING = 4
NOTICE = 5
DEBUG = 7

_AUTHPRIV = 10 << 3


def printable(text: str) -> str:
    """The text with everything escaped that could end the line or steer a terminal.

    User names come from the network: they must not be able to forge a log line.
    """
    return "".join(
        char if char.isprintable() and char != "\\" else ascii(char)[1:-1] for char in text
    )


class Log:
    """Lines of one call of the module: ``pam_pykeyinit(SERVICE:KIND): TEXT``."""

    __slots__ = ("_debug", "_prefix")

    def __init__(self, service: "str | None", kind: str, *, debug: bool) -> None:
        self._prefix = f"pam_pykeyinit({service or '<unknown>'}:{kind}): "
        self._debug = debug

    def __call__(self, priority: int, text: str) -> None:
        """Write one line; DEBUG lines only where the administrator asked for them."""
        if priority != DEBUG or self._debug:
            line = printable(self._prefix + text).encode("utf-8", "backslashreplace")
            libc.syslog(_AUTHPRIV | priority, b"%s", line)
