"""promises.py SECURITY.md LAST-RUN.json: the page docs/promises.md.

The promises and the tests that hold them are SECURITY.md's; what the tests gave, and their
figures, are of the last run of each (tests/support/record.py).
"""

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


if __name__ == "__main__":
    last = json.loads(Path(sys.argv[2]).read_text())
    sys.stdout.write(page(Path(sys.argv[1]).read_text(), last))
