"""Processes that have sessions when they are asked to, each in its turn.

What else the machine does meanwhile is shared by all.
"""

# ruff: noqa: T201  # it prints
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

IN_A_ROW = {"process": 1, "loop": 10}  # a loop, not a session after others' have been run
WARM_UP = 5

Times = dict[str, list[float]]  # milliseconds of each session, by name


def measure(
    program: Path, folder: Path, services: Mapping[str, str], way: str, rounds: int
) -> tuple[Times, Times]:
    """What passed on the clock, and what the processor worked, by the names of the services.

    `program` is tests/driver/pamloop, `folder` has the service files.  A process for each:
    which forks for every session, or has them itself, one after the other (`way`).
    """
    runners = {
        name: subprocess.Popen(
            [program, folder, service, "alice", way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        for name, service in services.items()
    }
    clock: Times = {name: [] for name in runners}
    processor: Times = {name: [] for name in runners}
    for at in range(WARM_UP + rounds):
        progress(f"{way}: {max(0, at - WARM_UP + 1)} of {rounds}")
        for name, runner in runners.items():
            passed, worked = _ask(runner, IN_A_ROW[way])
            if at >= WARM_UP:
                clock[name].append(passed)
                processor[name].append(worked)
    for runner in runners.values():
        runner.communicate()
    progress("")
    return clock, processor


def _ask(runner: "subprocess.Popen[str]", sessions: int) -> tuple[float, float]:
    """Have some sessions; one's milliseconds on the clock and on the processor."""
    assert runner.stdin and runner.stdout  # noqa: PT018
    runner.stdin.write(f"{sessions}\n")
    runner.stdin.flush()
    answer = runner.stdout.readline().split()
    if not answer:
        sys.exit("bench: a session failed")
    return int(answer[0]) / 1e6, int(answer[1]) / 1e6


def progress(text: str) -> None:
    """One line that is written over, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
