"""Kill a program at one of its system calls: strace(1) counts the calls and kills it."""

import re
import subprocess
from pathlib import Path

_ABOUT_PATHS = "trace=file,desc"


def calls(command: list[str], paths: list[Path], log: Path) -> list[tuple[str, int]]:
    """The calls of a program that use these paths: name, and the number of that name so far."""
    subprocess.run(
        [*_strace(log, paths), "-e", _ABOUT_PATHS, *command], check=True, capture_output=True
    )
    counts: dict[str, int] = {}
    found = []
    for line in log.read_text().splitlines():
        match = re.match(r"(\w+)\(", line)
        if match:
            counts[match[1]] = counts.get(match[1], 0) + 1
            found.append((match[1], counts[match[1]]))
    return found


def kill_at(call: tuple[str, int], command: list[str], paths: list[Path], log: Path) -> None:
    """Run the program until it makes this call; it must not get past it."""
    name, number = call
    inject = ["-e", _ABOUT_PATHS, "-e", f"inject={name}:signal=KILL:when={number}"]
    done = subprocess.run([*_strace(log, paths), *inject, *command], capture_output=True)
    assert done.returncode in (-9, 137), (call, done)


def _strace(log: Path, paths: list[Path]) -> list[str]:
    return ["strace", "-o", str(log), *(word for path in paths for word in ("-P", str(path)))]
