"""The syslog messages of this world."""

import contextlib
import re
import socket
from pathlib import Path

LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
FACILITIES = {3: "daemon", 10: "authpriv"}


class Line:
    """One message: facility and level by name, the sender's identity, the text."""

    def __init__(self, raw: str) -> None:
        match = re.fullmatch(r"<(\d+)>\w+ +\d+ [\d:]+ ([^:]*?): (.*)", raw, re.DOTALL)
        assert match, raw
        priority, self.identity, self.text = int(match[1]), match[2], match[3]
        self.level = LEVELS[priority & 7]
        self.facility = FACILITIES.get(priority >> 3, str(priority >> 3))

    def __repr__(self) -> str:
        return f"{self.facility}.{self.level} {self.identity}: {self.text}"


class Journal:
    """A listener at /dev/log.  `read` returns the messages since the last call."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o666)
        self._socket.settimeout(0)
        self._path = path

    def read(self) -> list[Line]:
        """The messages that have arrived, which include all messages of an ended process."""
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(Line(self._socket.recv(65536).decode()))
        return lines

    def ours(self) -> list[Line]:
        """Those of our module."""
        return [line for line in self.read() if line.text.startswith("pam_pykeyinit(")]

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
