"""What each option costs at a session, as ratios to the same session without it.

Session after session in one process, and each in a process of its own, where an option's
files have to be read as well.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.bench import ask, progress

PLAIN = "force revoke"
OPTIONS = (
    *("name=%u-bench", "link=user,user-session,persistent", "revoke=1", "revoke=cred"),
    *("minimum_uid=1000", "ignore_root", "on_error=degrade", "foreign=replace", "tag", "refresh"),
    "quota_warn=99",
)
IN_A_ROW = {"loop": 10, "process": 1}
WARM_UP = 5


def measure(program: str, folder: Path, way: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of a session on the clock, by options, taking turns."""
    lines = [PLAIN, *(f"{PLAIN} {option}" for option in OPTIONS)]
    runners = {}
    for number, line in enumerate(lines):
        (folder / f"s{number}").write_text(f"session required pam_pykeyinit.so {line}\n")
        runners[line] = subprocess.Popen(
            [program, folder, f"s{number}", "alice", way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
    took: dict[str, list[float]] = {line: [] for line in lines}
    for at in range(WARM_UP + rounds):
        progress(f"{way}: {max(0, at - WARM_UP + 1)} of {rounds}")
        for line, runner in runners.items():
            passed, _ = ask(runner, IN_A_ROW[way])
            if at >= WARM_UP:
                took[line].append(passed)
    for runner in runners.values():
        runner.communicate()
    progress("")
    return took


def main(program: str, rounds: int = 100) -> None:
    """Both ways, one after the other."""
    folder = Path(os.environ["WORLD"]) / "policies.d"
    folder.mkdir(exist_ok=True)
    (folder / "other").write_text("auth required pam_deny.so\n")
    for way in IN_A_ROW:
        took = measure(program, folder, way, rounds)
        base = statistics.median(took[PLAIN])
        print(f"\nOptions, {way}: '{PLAIN}' takes {base:.3f} ms, the median of {rounds}")
        for line in list(took)[1:]:
            pairs = zip(took[line], took[PLAIN], strict=True)
            ratio = statistics.median(mine / plain for mine, plain in pairs)
            print(f"  {line.removeprefix(PLAIN):<36} {ratio:>6.2f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
