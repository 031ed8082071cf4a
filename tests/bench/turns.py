"""Processes that run sessions on request, alternately.

So other load on the machine affects all of them.
"""

# ruff: noqa: T201  # it prints
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from support.pamloop import Pamloop

IN_A_ROW = {"process": 1, "loop": 10}  # in a loop, most sessions follow one of the same process
WARM_UP = 5

Times = dict[str, list[float]]  # milliseconds of each session, by name


def measure(
    program: Path, folder: Path, services: Mapping[str, str], way: str, rounds: int
) -> tuple[Times, Times]:
    """Elapsed time and processor time, by the names of the services.

    `program` is tests/driver/pamloop, `folder` has the service files.  Each service has a process,
    which forks for every session, or runs the sessions itself, one after the other (`way`).
    """
    clock: Times = {name: [] for name in services}
    processor: Times = {name: [] for name in services}
    with contextlib.ExitStack() as stack:
        loops = {
            name: stack.enter_context(Pamloop(program, folder, service, "alice", way))
            for name, service in services.items()
        }
        for at in range(WARM_UP + rounds):
            progress(f"{way}: {max(0, at - WARM_UP + 1)} of {rounds}")
            for name, loop in loops.items():
                took = loop.sessions(IN_A_ROW[way])
                if at >= WARM_UP:
                    clock[name].append(took.clock / 1e6)
                    processor[name].append(took.processor / 1e6)
    progress("")
    return clock, processor


def progress(text: str) -> None:
    """One line of progress, overwritten, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
