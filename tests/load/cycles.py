"""Session after session in one process, and what the process is like in between."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


@dataclass
class Figures:
    """A process between two sessions."""

    resident: int  # kB that are no file's: what of a file is in memory is shared, and varies
    mappings: int
    descriptors: int
    rate: int  # sessions a second, of the slice before


class Looper:
    """A pamloop at work; run() has it open and close some sessions."""

    def __init__(self, program: Path, services: Path, user: str) -> None:
        self._process = subprocess.Popen(
            [program, services, "s", user, "loop"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )

    def __enter__(self) -> "Looper":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        assert kind or self._process.returncode == 0

    def run(self, count: int) -> Figures:
        """Open and close `count` sessions; at most 999,999.  AssertionError if one fails."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        assert answer, "a session failed"
        return self._figures(1_000_000_000 // int(answer[0]))

    def _figures(self, rate: int) -> Figures:
        proc = Path("/proc", str(self._process.pid))
        rollup = (proc / "smaps_rollup").read_text().splitlines()
        return Figures(
            resident=next(int(line.split()[1]) for line in rollup if "Anonymous:" in line),
            mappings=len((proc / "maps").read_text().splitlines()),
            descriptors=len(list((proc / "fd").iterdir())),
            rate=rate,
        )
