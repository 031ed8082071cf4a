"""The log of a machine, from a moment on: of /dev/log without systemd."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from pathlib import Path

# Lines of ours, of pam_keyinit, or of libpam while it loads a module; not those of sshd.
TELLING = re.compile(r"pam_\w*keyinit|pykeyinit|PAM unable|PAM adding faulty|pam_python|Python")


class DevLog:
    """A listener at /dev/log; it keeps all lines."""

    def __init__(self, path: str = "/dev/log") -> None:
        Path(path).unlink(missing_ok=True)
        self._lines: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        os.chmod(path, 0o666)  # as syslogd's
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            line = self._socket.recv(65536).decode("utf-8", "replace")
            self._lines.append(re.sub(r"^<\d+>\w+ +\d+ [\d:]+ ", "", line).rstrip("\n\0"))

    def mark(self) -> int:
        """The present end of the log."""
        return len(self._lines)

    def since(self, mark: int) -> list[str]:
        """All lines after a mark."""
        return self._lines[mark:]


class Journald:
    """systemd's journal."""

    def mark(self) -> str:
        """The present end of the log."""
        shown = self._journalctl("--show-cursor", "-n", "0")
        return shown.rpartition("-- cursor: ")[2].strip()

    def since(self, mark: str) -> list[str]:
        """All lines after a mark."""
        self._journalctl("--sync")
        lines = self._journalctl(f"--after-cursor={mark}", "-o", "short", "--no-hostname")
        return [re.sub(r"^\w+ +\d+ [\d:]+ ", "", line) for line in lines.splitlines()]

    def _journalctl(self, *arguments: str) -> str:
        command = ["journalctl", "--quiet", "--no-pager", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def telling(lines: list[str]) -> list[str]:
    """The lines about keyrings or modules."""
    return [line for line in lines if TELLING.search(line)]
