"""The duration of a login by ssh with each module, through a real sshd on loopback.

    PYTHONPATH=tests build-aux/world.sh /usr/bin/python3 -P tests/bench/logins.py [ROUNDS]

The modules alternate, so that other load affects all of them; the first round is a warm-up.
The goal is at most 2.5 ms more than pam_keyinit: the time to start our part of an interpreter.

They log in over a network of their own, on which each packet is acknowledged at once.  Otherwise
sshd waits twice for an acknowledgment that TCP delays by 40 ms, counted in ticks of the kernel: a
millisecond before it is then nothing, or a whole tick of 4 ms.
"""

# ruff: noqa: T201  # it prints
import ctypes
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
SESSIONS = 5
NEW_NETWORK = 0x40000000  # CLONE_NEWNET, unshare(2)
NETWORK = """
ip link set lo up
for to in 127.0.0.0/8 127.0.0.1; do
    ip route replace local $to dev lo table local src 127.0.0.1 quickack 1
done
"""
MODULES = {BASE: "pam_keyinit", **{line: name for name, line in world.LOADERS.items()}}


def own_network() -> None:
    """Move this process into a network namespace with only a loopback interface."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["sh", "-ec", NETWORK], check=True)


def login(command: list[str]) -> float:
    """Milliseconds from the start of ssh to its end, for a login that runs nothing."""
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


def held(server: sshd.Sshd, folder: Path, line: str) -> float:
    """The private kB of the processes that sshd keeps for a user, mean of some sessions."""
    (folder / "pam.d/sshd").write_text(stack(f"{line} force revoke"))
    scratch = Path(tempfile.mkdtemp(dir=folder))
    scratch.chmod(0o1777)
    people = [server.login("alice", scratch) for _ in range(SESSIONS)]
    for person in people:
        person("look")
    total = sum(map(_private, _descendants(server.pid)))
    for person in people:
        person.logout()
    return total / SESSIONS


def _descendants(pid: int) -> list[int]:
    """The sshd processes below this one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    sshds = [int(c) for c in children if Path(f"/proc/{c}/comm").read_text().startswith("sshd")]
    return [*sshds, *(below for child in sshds for below in _descendants(child))]


def _private(pid: int) -> int:
    """Its anonymous memory; shared pages count in part."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    raise LookupError(pid)


def main(rounds: int = 100) -> None:
    """Run all measurements."""
    sshd.program()  # while there is a network to fetch it from
    own_network()
    with tempfile.TemporaryDirectory(dir=os.environ["WORLD"]) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with sshd.running(folder) as server, pam_services(folder / "pam.d"):
            took = measure(server, folder, rounds)
            kept = {name: held(server, folder, line) for line, name in MODULES.items()}
    medians = {MODULES[line]: statistics.median(times) for line, times in took.items()}
    print(f"Logins by ssh, medians of {rounds}: ", end="")
    print(", ".join(f"{name} {median:.1f} ms" for name, median in medians.items()))
    ours = took[world.LOADERS["native"]]
    more = statistics.median(a - b for a, b in zip(ours, took[BASE], strict=True))
    goal("login with pam_pykeyinit.so, beside pam_keyinit's", more, 2.5, " ms")
    print("Memory that a session holds: ", end="")
    print(", ".join(f"{name} {kilobytes:.0f} kB" for name, kilobytes in kept.items()))
    more = kept["native"] - kept[MODULES[BASE]]
    print(f"  of 1,000 sessions with pam_pykeyinit.so, beside pam_keyinit's: {more / 1024:.2f} GB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
