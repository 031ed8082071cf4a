"""bench.py PROGRAM [ROUNDS]: the duration of a session, as ratios to named peers.

In each round every stack has one session in a new process, or several consecutive sessions in
a process of its own.  A ratio compares times of the same round.  On a busy machine processor
time is more accurate.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import sys
from pathlib import Path

from bench.turns import Times, measure

LIMIT = 1.15
PERMIT, KEYINIT = "pam_permit", "pam_keyinit force revoke"
EMPTY, OURS = "pam_python, an empty module", "pam_python, pam_pykeyinit"
EMPTY_MODULE = """\
def pam_sm_open_session(pamh, flags, argv):
    return 0
def pam_sm_close_session(pamh, flags, argv):
    return 0
"""


def services(folder: Path) -> dict[str, str]:
    """Write the stacks; return the service of each."""
    empty = folder / "empty.py"
    empty.write_text(EMPTY_MODULE)
    stacks = {
        PERMIT: "pam_permit.so",
        KEYINIT: "pam_keyinit.so force revoke",
        EMPTY: f"pam_python.so {empty}",
        OURS: "pam_python.so pam_pykeyinit.py force revoke",
    }
    (folder / "other").write_text("auth required pam_deny.so\n")
    for number, line in enumerate(stacks.values()):
        (folder / f"stack{number}").write_text(f"session required {line}\n")
    return {name: f"stack{number}" for number, name in enumerate(stacks)}


def ratios(times: Times, name: str, peer: str) -> list[float]:
    """The ratios, round by round."""
    return [mine / its for mine, its in zip(times[name], times[peer], strict=True)]


def table(title: str, times: Times) -> None:
    """The times, and each stack's ratio to two peers."""
    print(f"\n{title}")
    print(f"  {'':<28} {'ms':>8}   {'to ' + PERMIT:^20}   {'to the empty module':^20}")
    print(f"  {'':<28} {'median':>8}  " + f" {'min':>6} {'median':>6} {'max':>6}  " * 2)
    for name, took in times.items():
        line = f"  {name:<28} {statistics.median(took):>8.3f}  "
        for peer in (PERMIT, EMPTY):
            found = ratios(times, name, peer)
            line += "".join(
                f" {value:>6.2f}" for value in (min(found), statistics.median(found), max(found))
            )
            line += "  "
        print(line.rstrip())


def verdict(clock: Times, processor: Times) -> None:
    """Whether the promised bounds hold."""
    found = {
        "median, on the clock": statistics.median(ratios(clock, OURS, EMPTY)),
        "median, processor time": statistics.median(ratios(processor, OURS, EMPTY)),
        "each one's fastest": min(clock[OURS]) / min(clock[EMPTY]),
    }
    print("  Ours to the empty module:")
    for what, ratio in found.items():
        word = "within" if ratio <= LIMIT else "ABOVE"
        print(f"    {what:<26} {ratio:>8.3f}   {word} {LIMIT}")


def main(program: Path, rounds: int = 100) -> None:
    """Measure both ways, one after the other."""
    folder = Path(os.environ["WORLD"]) / "bench.d"
    folder.mkdir(exist_ok=True)
    print(f"One session: start, open, close, end.  Medians of {rounds}, stacks taking turns.")
    for way, title in (
        ("process", "Each session in a new process"),
        ("loop", "Session after session in one process"),
    ):
        clock, processor = measure(program, folder, services(folder), way, rounds)
        table(title, clock)
        verdict(clock, processor)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
