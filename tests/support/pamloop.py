"""A process that opens and closes sessions on request: tests/driver/pamloop."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import NamedTuple


class Took(NamedTuple):
    """The nanoseconds of one session, on average."""

    clock: int
    processor: int


class Pamloop:
    """A running pamloop.  `way` "loop": the sessions are its own; "process": it forks for each."""

    def __init__(self, program: Path, services: Path, service: str, user: str, way: str) -> None:
        self._process = subprocess.Popen(
            [program, services, service, user, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        self.pid = self._process.pid

    def __enter__(self) -> "Pamloop":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        assert kind or self._process.returncode == 0

    def sessions(self, count: int) -> Took:
        """Open and close `count` sessions; at most 999,999.  AssertionError if one fails."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        assert answer, "a session failed"
        return Took(int(answer[0]), int(answer[1]))
