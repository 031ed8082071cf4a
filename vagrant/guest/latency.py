"""The duration of a login, with each module in turn."""

from __future__ import annotations

import statistics
import subprocess
import time
from typing import Any, Callable, Dict, List

import stacks
from ways import AUTHENTICATION, SSH


def login() -> float:
    """Milliseconds from the start of ssh to its end, for a login that runs nothing."""
    command = [*SSH, *AUTHENTICATION["key"], "-i", "/etc/ssh/person", "alice@127.0.0.1", "true"]
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return (time.monotonic() - begun) * 1000


def measure(loaders: List[str], rounds: int, tick: Callable[[int], None]) -> Dict[str, Any]:
    """Medians in ms, and the median of the differences from pam_keyinit in the same round.

    The loaders alternate, so that other load affects all of them; the first round is a warm-up.
    `tick` is called after each.
    """
    times: Dict[str, List[float]] = {loader: [] for loader in loaders}
    for number in range(rounds + 1):
        turn = number % len(loaders)
        for loader in loaders[turn:] + loaders[:turn]:
            stacks.install(loader)
            taken = login()
            if number:
                times[loader].append(taken)
        tick(number)
    base = times.get("pam_keyinit", [])
    return {
        "rounds": rounds,
        "medians": {name: round(statistics.median(taken), 1) for name, taken in times.items()},
        "more_than_pam_keyinit": {
            name: round(statistics.median(a - b for a, b in zip(taken, base)), 1)
            for name, taken in times.items()
            if base and name != "pam_keyinit"
        },
    }
