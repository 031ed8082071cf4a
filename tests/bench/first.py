"""The time and memory of a process's first session, and how long a user can signal it.

    build-aux/world.sh tests/bench/run.sh [ROUNDS]

The processes alternate: one for each module, and one that starts the system's Python, isolated
and without site.  So other load on the machine affects all of them.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.loader import ENVIRONMENT, goal, service

from support import native, world

OURS, BARE = "pam_pykeyinit.so", "isolated Python"
LEAST = 200  # processes: fewer are not significant
WINDOWS = ("force revoke", "force revoke tag", "force revoke name=%u-bench")
WINDOW_PROCESSES, WINDOW_ROUNDS = 500, 7


def services(folder: Path, options: str) -> None:
    """Service files with these options of ours, and with those that pam_keyinit also has."""
    folder.mkdir(exist_ok=True)
    (folder / "other").write_text("auth required pam_deny.so\n")
    for module in (OURS, world.ORACLE):
        words = options if module == OURS else "force revoke"
        (folder / service(module)).write_text(f"session required {module} {words}\n")


def _numbers(command: list[str]) -> list[float]:
    run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return [float(word) for word in run.stdout.split()]


def cold(program: Path, folder: Path, rounds: int) -> None:
    """Milliseconds from pam_start to pam_end, and the private kB that they add."""
    commands = {
        module: [str(program), "session", str(folder), service(module), "alice"]
        for module in (OURS, world.ORACLE)
    }
    commands[BARE] = [str(program), "bare", str(native.LIBPYTHON)]
    took: dict[str, list[float]] = {name: [] for name in commands}
    added: dict[str, list[float]] = {name: [] for name in commands}
    for at in range(5 + rounds):
        for name, command in commands.items():
            nanoseconds, kilobytes = _numbers(command)
            if at >= 5:
                took[name].append(nanoseconds / 1e6)
                added[name].append(kilobytes)
    print(f"First session of a process, {rounds} processes each, taking turns:")
    for name in commands:
        lowest, middle = min(took[name]), statistics.median(took[name])
        memory = statistics.median(added[name])
        print(f"  {name:<20} {lowest:>6.2f} ms at least, median {middle:.2f}, {memory:.0f} kB")
    median = {name: statistics.median(values) for name, values in took.items()}
    least = {name: min(values) for name, values in took.items()}
    goal("first session, to an isolated Python, medians", median[OURS] / median[BARE], 0.45)
    goal("the same, minima", least[OURS] / least[BARE], 0.45)
    goal("to pam_keyinit.so, medians", median[OURS] / median[world.ORACLE], 7.5)
    goal("the same, minima", least[OURS] / least[world.ORACLE], 7.5)
    goal("private memory added", statistics.median(added[OURS]), 1100, " kB")


def window(program: Path, folder: Path) -> None:
    """How long the user can signal a process in its first session, compared with pam_keyinit."""
    names = [service(module) for module in (OURS, world.ORACLE)]
    for options in WINDOWS:
        services(folder, options)
        words = ["window", str(folder), "alice", str(WINDOW_PROCESSES), *names]
        rounds = [_numbers([str(program), *words]) for _ in range(WINDOW_ROUNDS)]
        ours, theirs = (statistics.median(each) / 1000 for each in zip(*rounds, strict=True))
        print(f"Signals are possible for: {options}: {ours:.1f} us, pam_keyinit {theirs:.1f} us")
        if options == WINDOWS[0]:
            goal("that time", ours, 18, " us")
            print(f"  {'the same, to pam_keyinit.so':<52} {ours / theirs:>7.2f}")


def main(program: Path, rounds: int = LEAST) -> None:
    """Run all measurements."""
    folder = Path(os.environ["WORLD"]) / "first.d"
    services(folder, "force revoke")
    cold(program, folder, max(rounds, LEAST))
    window(program, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
