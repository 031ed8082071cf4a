"""Processes that have sessions when they are asked to, each in its turn.

What else the machine does meanwhile is shared by all.
"""

# ruff: noqa: T201  # it prints
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from support.pamloop import Pamloop

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
    """One line that is written over, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
