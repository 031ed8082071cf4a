"""The cost of each option in a session, as ratios to the same session without it.

Consecutive sessions in one process, and each session in a process of its own, where the files
of an option are also read.
"""

# ruff: noqa: T201  # it prints
import os
import statistics
import sys
from pathlib import Path

from bench.turns import measure

PLAIN = "force revoke"
OPTIONS = (
    *("name=%u-bench", "link=user,user-session,persistent", "revoke=1", "revoke=cred"),
    *("minimum_uid=1000", "ignore_root", "on_error=degrade", "foreign=replace", "tag", "refresh"),
    "quota_warn=99",
)


def services(folder: Path) -> dict[str, str]:
    """Write a service for each line of options; return its name by the line."""
    lines = [PLAIN, *(f"{PLAIN} {option}" for option in OPTIONS)]
    for number, line in enumerate(lines):
        (folder / f"s{number}").write_text(f"session required pam_pykeyinit.so {line}\n")
    return {line: f"s{number}" for number, line in enumerate(lines)}


def main(program: Path, rounds: int = 100) -> None:
    """Measure both ways, one after the other."""
    folder = Path(os.environ["WORLD"]) / "policies.d"
    folder.mkdir(exist_ok=True)
    (folder / "other").write_text("auth required pam_deny.so\n")
    for way in ("loop", "process"):
        took, _ = measure(program, folder, services(folder), way, rounds)
        base = statistics.median(took[PLAIN])
        print(f"\nOptions, {way}: '{PLAIN}' takes {base:.3f} ms, the median of {rounds}")
        for line in list(took)[1:]:
            pairs = zip(took[line], took[PLAIN], strict=True)
            ratio = statistics.median(mine / plain for mine, plain in pairs)
            print(f"  {line.removeprefix(PLAIN):<36} {ratio:>6.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
