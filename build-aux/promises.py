"""promises.py SECURITY.md LAST-RUN.json LONG-RUNS.tsv: the page docs/promises.md.

The promises and the tests that hold them are SECURITY.md's; what the tests gave, and their
figures, are of the last run of each (tests/support/record.py).  Runs that take hours are made
in parts, and are added up from tests/long-runs.tsv.
"""

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

_REFERENCE = re.compile(r"tests/[\w/.]*\w(?:::\w+)?")
_HEAD = """\
# Promises and their tests

`./setup promises` makes this page from SECURITY.md and the last run of the tests:
{date}, {system}, Linux {kernel}, Python {python}, libpam {libpam}.

| promise | held by | last run |
|---|---|---|
"""
_LONG = """
## Long runs

These runs take hours, and are made in parts; `tests/long-runs.tsv` has each part with its commit.

| run | amount | parts | from | to | found |
|---|---|---|---|---|---|
"""


def promises(security: str) -> list[tuple[str, list[str]]]:
    """Each promise with its references: files, folders, or FILE::TEST."""
    table = security.split("## Promises")[1].split("\n## ")[0]
    rows = [line.strip("| \n").split(" | ") for line in table.splitlines() if "tests/" in line]
    return [(row[0], _REFERENCE.findall(row[1])) for row in rows]


def is_meant(reference: str, test: str) -> bool:
    """Whether a reference is to this test, its file, or a folder above it."""
    return test == reference or test.startswith((reference + "::", reference + "/"))


def found(references: list[str], tests: dict[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """The outcomes and the figures of all that the references are to, added up."""
    outcomes: dict[str, int] = {}
    figures: dict[str, int] = {}
    for reference in references:
        meant = [name for name in tests if is_meant(reference, name)]
        if not meant:
            outcomes["not run"] = outcomes.get("not run", 0) + 1
        for name in meant:
            for outcome, count in tests[name]["outcomes"].items():
                outcomes[outcome] = outcomes.get(outcome, 0) + count
            for figure, number in tests[name]["figures"].items():
                figures[figure] = figures.get(figure, 0) + number
    return outcomes, figures


def page(security: str, last: dict[str, Any]) -> str:
    """The whole page."""
    text = _HEAD.format(date=last["date"], **last["machine"])
    for promise, references in promises(security):
        outcomes, figures = found(references, last["tests"])
        said = [f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())]
        said += [f"{name.strip()}: {number:,}" for name, number in figures.items()]
        held = " ".join(f"`{reference}`" for reference in references)
        text += f"| {promise} | {held} | {'; '.join(said)} |\n"
    return text


def parts_of(file: Path) -> list[dict[str, str]]:
    """The parts of the long runs, a line each, by the names of the columns."""
    with file.open(newline="") as rows:
        return list(csv.DictReader(rows, delimiter="\t"))


def long_runs(parts: list[dict[str, str]]) -> str:
    """The section of the long runs, with the parts of each added up."""
    text = _LONG
    for run in dict.fromkeys(part["run"] for part in parts):
        mine = [part for part in parts if part["run"] == run]
        amount, found = (sum(int(part[column]) for part in mine) for column in ("amount", "found"))
        dates = sorted(part["date"] for part in mine)
        cells = (run, f"{amount:,}", len(mine), dates[0], dates[-1], found or "nothing")
        text += "| " + " | ".join(map(str, cells)) + " |\n"
    return text


if __name__ == "__main__":
    last = json.loads(Path(sys.argv[2]).read_text())
    parts = parts_of(Path(sys.argv[3]))
    sys.stdout.write(page(Path(sys.argv[1]).read_text(), last) + long_runs(parts))
