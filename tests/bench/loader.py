"""pam_pykeyinit.so compared with its peers: ratios, interleaved in one run.

    build-aux/world.sh tests/bench/run.sh [ROUNDS]

Warm: one more session in a process that already had some.  Cold: the first session of a
process.  Medians; each goal is printed with the measured value.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.turns import measure

OURS, KEYINIT, PERMIT = "pam_pykeyinit.so", "pam_keyinit.so", "pam_permit.so"
OPTIONS = {OURS: "force revoke", KEYINIT: "force revoke", PERMIT: ""}
BARE = ["/usr/bin/python3", "-I", "-S", "-c", "pass"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
PROCESSES = 10
USERS = ("alice", "bob", "carol", "dave")


def goal(what: str, found: float, limit: float, unit: str = "") -> None:
    """A promised figure."""
    word = "met" if found <= limit else "MISSED"
    print(f"  {what:<52} {found:>7.2f}{unit}   goal: at most {limit}{unit}, {word}")


def service(module: str) -> str:
    """The service with a module."""
    return module.removesuffix(".so")


def warm(program: Path, folder: Path, rounds: int) -> None:
    """Consecutive sessions in one process for each module; the modules alternate.

    With new processes several times: the addresses that a process gets change its time by up to
    a tenth.
    """
    took: dict[str, list[float]] = {module: [] for module in OPTIONS}
    for _ in range(PROCESSES):
        clock, _ = measure(
            program, folder, {m: service(m) for m in OPTIONS}, "loop", rounds // PROCESSES
        )
        for module, values in clock.items():
            took[module] += values
    median = {module: statistics.median(values) for module, values in took.items()}
    print(f"Warm, medians of {rounds}: " + ", ".join(f"{m} {median[m]:.3f} ms" for m in median))
    goal("warm session, to pam_keyinit.so", median[OURS] / median[KEYINIT], 0.75)
    print(f"  {'the same, to pam_permit.so':<52} {median[OURS] / median[PERMIT]:>7.2f}")


def cold(program: Path, folder: Path, rounds: int) -> None:
    """Whole processes; the modules alternate."""
    once = {m: [str(program), str(folder), service(m), "alice", "once"] for m in OPTIONS}
    commands = {**once, "bare python3": BARE}
    took: dict[str, list[float]] = {name: [] for name in commands}
    for at in range(3 + rounds):
        for name, command in commands.items():
            begin = time.perf_counter()
            process = os.posix_spawn(command[0], command, ENVIRONMENT)
            if os.waitpid(process, 0)[1]:
                sys.exit(f"bench: {command} failed")
            if at >= 3:
                took[name].append((time.perf_counter() - begin) * 1000)
    median = {name: statistics.median(values) for name, values in took.items()}
    print(f"Cold, medians of {rounds}: " + ", ".join(f"{n} {median[n]:.2f} ms" for n in median))
    goal(
        "cold process with a session, to a bare python3",
        median[OURS] / median["bare python3"],
        1.5,
    )


def many(program: Path, folder: Path, threads: int, cycles: int) -> list[str]:
    """Run this many sessions of four users; return the words that `many` prints."""
    command = [str(program), str(folder), service(OURS), str(threads), str(cycles), *USERS]
    environment = {**ENVIRONMENT, "WARM": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return run.stdout.split()


def memory(program: Path, folder: Path) -> None:
    """The memory of the first session, and of ten thousand more."""
    cold_kb, before, after = (int(word) for word in many(program, folder, 0, 10_000)[-3:])
    print(f"Resident memory: {(before - cold_kb) / 1024:.1f} MB more with Python in the process")
    goal("growth over 10,000 sessions", (after - before) / 1024, 1, " MB")


def threads(program: Path, folder: Path, rounds: int) -> None:
    """Sessions per second, with an increasing number of threads."""
    counts = (1, 2, 4, 8, 16)
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            rates[count].append(1e6 / float(many(program, folder, count, 1600 // count)[0]))
    median = {count: statistics.median(values) for count, values in rates.items()}
    print(f"Threads, medians of {rounds}, 1,600 sessions each:")
    for count in counts:
        print(f"  {count:>2}: {median[count]:>8.0f} sessions a second")
    for count in counts[1:]:
        goal(f"time of a session, {count} threads to 1", median[1] / median[count], 1.0)


def main(folder: Path, rounds: int = 100) -> None:
    """Run all measurements; `folder` has the programs."""
    services = Path(os.environ["WORLD"]) / "loader.d"
    services.mkdir(exist_ok=True)
    (services / "other").write_text("auth required pam_deny.so\n")
    for module, options in OPTIONS.items():
        (services / service(module)).write_text(f"session required {module} {options}\n")
    warm(folder / "pamloop", services, rounds)
    cold(folder / "pamloop", services, rounds)
    memory(folder / "many", services)
    threads(folder / "many", services, max(rounds // 10, 5))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
