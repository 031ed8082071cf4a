"""The state of a process between its sessions."""

from dataclasses import dataclass
from pathlib import Path

from support.pamloop import Pamloop


@dataclass
class Figures:
    """A process between two sessions."""

    resident: int  # kB of anonymous memory: file pages in memory are shared, and vary
    mappings: int
    descriptors: int
    rate: int  # sessions per second since the last measurement


def run(loop: Pamloop, count: int) -> Figures:
    """Run `count` sessions, then measure the process."""
    took = loop.sessions(count).clock
    proc = Path("/proc", str(loop.pid))
    rollup = (proc / "smaps_rollup").read_text().splitlines()
    return Figures(
        resident=next(int(line.split()[1]) for line in rollup if "Anonymous:" in line),
        mappings=len((proc / "maps").read_text().splitlines()),
        descriptors=len(list((proc / "fd").iterdir())),
        rate=1_000_000_000 // took,
    )
