"""How long a login by ssh takes, with each module in turn, through a real sshd on loopback.

    PYTHONPATH=tests build-aux/world.sh /usr/bin/python3 -P tests/bench/logins.py [ROUNDS]

The modules take turns, so that what else the machine does hits all of them; the first round
only warms up.  The goal is 10 ms beside pam_keyinit: one start of an interpreter.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.loader import goal
from bench.turns import progress
from logins import sshd
from logins.people import pam_services, stack

from support import world

BASE = world.ORACLE
MODULES = {BASE: "pam_keyinit", **{line: name for name, line in world.LOADERS.items()}}


def login(command: list[str]) -> float:
    """Milliseconds from the start of ssh to its end, for a login that does nothing."""
    begin = time.perf_counter()
    subprocess.run([*command, "true"], check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1000


def measure(server: sshd.Sshd, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each login, by PAM line."""
    took: dict[str, list[float]] = {line: [] for line in MODULES}
    lines = list(MODULES)
    for at in range(rounds + 1):
        progress(f"logins: {at} of {rounds}")
        turn = at % len(lines)
        for line in lines[turn:] + lines[:turn]:
            (folder / "pam.d/sshd").write_text(stack(f"{line} force revoke"))
            passed = login(server.command("alice"))
            if at:
                took[line].append(passed)
    progress("")
    return took


def main(rounds: int = 30) -> None:
    """All of it."""
    with tempfile.TemporaryDirectory(dir=os.environ["WORLD"]) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with sshd.running(folder) as server, pam_services(folder / "pam.d"):
            took = measure(server, folder, rounds)
    medians = {MODULES[line]: statistics.median(times) for line, times in took.items()}
    print(f"Logins by ssh, medians of {rounds}: ", end="")
    print(", ".join(f"{name} {median:.1f} ms" for name, median in medians.items()))
    ours = took[world.LOADERS["native"]]
    more = statistics.median(a - b for a, b in zip(ours, took[BASE], strict=True))
    goal("login with pam_pykeyinit.so, beside pam_keyinit's", more, 10, " ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
