"""verdict.py MUTANTS RESULTS: the results of run.py, file by file, compared with EXPLAINED.

Exit status 1 if a mutant survived that EXPLAINED does not name, if EXPLAINED names a mutant that
does not exist (in the mutated files), or if a mutant has no result.  The figures of a completely
tested file are kept for ./setup promises (tests/support/record.py).
"""

import json
import sys
from pathlib import Path

from mutants.run import Mutant, label
from support.record import Record

EXPLAINED = Path(__file__).with_name("EXPLAINED")


def explanations(text: str) -> dict[str, str]:
    """The mutants that need no test, and the reasons: an indented reason explains the lines above.

    Raises ValueError for a reason without a mutant, and a mutant without a reason.
    """
    reasons: dict[str, str] = {}
    waiting: list[str] = []
    last: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            waiting.append(line)
            continue
        last = waiting or last
        if not last:
            raise ValueError(f"a reason without a mutant: {line.strip()}")
        for mutant in last:
            reasons[mutant] = f"{reasons.get(mutant, '')} {line.strip()}".strip()
        waiting = []
    if waiting:
        raise ValueError(f"a mutant without a reason: {waiting[0]}")
    return reasons


OUTCOMES = ("killed", "explained", "survived")


def judge(
    mutants: list[str], results: list[tuple[str, str]], reasons: dict[str, str]
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """The number of killed mutants of each file, and so on; and the problems.

    `mutants` are all, `results` those tried.
    """
    files = sorted({mutant.split()[0] for mutant in mutants})
    counts = {file: dict.fromkeys(OUTCOMES, 0) for file in files}
    wrong = []
    for mutant, verdict in results:
        explained = verdict == "survived" and mutant in reasons
        counts[mutant.split()[0]]["explained" if explained else verdict] += 1
        if verdict == "survived" and not explained:
            wrong.append(f"survived: {mutant}")
    wrong += [
        f"explained, and there is no such mutant: {mutant}"
        for mutant in reasons
        if mutant.split()[0] in files and mutant not in mutants
    ]
    return counts, wrong


def main(mutants: Path, results: Path) -> int:
    """Print it."""
    made: list[Mutant] = [json.loads(line) for line in mutants.read_text().splitlines()]
    found = [json.loads(line) for line in results.read_text().splitlines()]
    counts, wrong = judge(
        [label(mutant) for mutant in made],
        [(one["mutant"], one["verdict"]) for one in found],
        explanations(EXPLAINED.read_text()),
    )
    record = Record()
    for file, outcomes in counts.items():
        print(f"{file}:", ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()))
        if sum(outcomes.values()) == sum(mutant["file"] == file for mutant in made):
            some = {outcome: count for outcome, count in outcomes.items() if count}
            record.outcomes[f"tests/mutants/run.py::{file}"] = some
    record.write()
    print(*wrong, sep="\n")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
