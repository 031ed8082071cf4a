"""bench.py PROGRAM [ROUNDS]: how long a session takes, as ratios to named peers.

Every stack has a process of its own, and in each round every one of them is asked, in
turn, for one session in a new process, or for a few in a row in its own: what the machine
does meanwhile is shared by all.  Ratios are of the times of one round.  Where the machine
has other work, processor time is the fairer one.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import subprocess
import sys
from pathlib import Path

LIMIT = 1.15
IN_A_ROW = {"process": 1, "loop": 10}  # a loop, not a session after others' have been run
WARM_UP = 5
PERMIT, KEYINIT = "pam_permit", "pam_keyinit force revoke"
EMPTY, OURS = "pam_python, an empty module", "pam_python, pam_pykeyinit"
EMPTY_MODULE = """\
def pam_sm_open_session(pamh, flags, argv):
    return 0
def pam_sm_close_session(pamh, flags, argv):
    return 0
"""

Times = dict[str, list[float]]  # milliseconds of each session, by stack


def services(folder: Path) -> dict[str, str]:
    """Write the stacks; the service of each."""
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


def measure(program: str, folder: Path, way: str, rounds: int) -> tuple[Times, Times]:
    """What passed on the clock, and what the processor worked."""
    runners = {
        name: subprocess.Popen(
            [program, folder, service, "alice", way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        for name, service in services(folder).items()
    }
    clock: Times = {name: [] for name in runners}
    processor: Times = {name: [] for name in runners}
    for at in range(WARM_UP + rounds):
        progress(f"{way}: {max(0, at - WARM_UP + 1)} of {rounds}")
        for name, runner in runners.items():
            passed, worked = ask(runner, IN_A_ROW[way])
            if at >= WARM_UP:
                clock[name].append(passed)
                processor[name].append(worked)
    for runner in runners.values():
        runner.communicate()
    progress("")
    return clock, processor


def ask(runner: "subprocess.Popen[str]", sessions: int) -> tuple[float, float]:
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


def ratios(times: Times, name: str, peer: str) -> list[float]:
    """Round by round."""
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
    """Whether we keep what was promised."""
    found = {
        "median, on the clock": statistics.median(ratios(clock, OURS, EMPTY)),
        "median, processor time": statistics.median(ratios(processor, OURS, EMPTY)),
        "each one's fastest": min(clock[OURS]) / min(clock[EMPTY]),
    }
    print("  Ours to the empty module:")
    for what, ratio in found.items():
        word = "within" if ratio <= LIMIT else "ABOVE"
        print(f"    {what:<26} {ratio:>8.3f}   {word} {LIMIT}")


def main(program: str, rounds: int = 100) -> None:
    """Both ways, one after the other."""
    folder = Path(os.environ["WORLD"]) / "bench.d"
    folder.mkdir(exist_ok=True)
    print(f"One session: start, open, close, end.  Medians of {rounds}, stacks taking turns.")
    for way, title in (
        ("process", "Each session in a new process"),
        ("loop", "Session after session in one process"),
    ):
        clock, processor = measure(program, folder, way, rounds)
        table(title, clock)
        verdict(clock, processor)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
