"""The last result of each test, and its figures: build/last-run.json.

`./setup promises` makes a page from it.  A run of some tests replaces their results, and
keeps the others.
"""

import datetime
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from support import world

FILE = world.ROOT / "build/last-run.json"


def machine() -> dict[str, str]:
    """The system of the run."""
    found = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libpam0g"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "kernel": platform.release().partition("-")[0],
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "libpam": found.stdout.split("-")[0] or "unknown",
    }


def _name(nodeid: str) -> str:
    """The name of a test in the tree, without its parameters, and the group that ran it."""
    return "tests/" + re.split(r"[\[@]", nodeid.removeprefix("tests/"), maxsplit=1)[0]


class Record:
    """The outcomes and figures of one run."""

    def __init__(self) -> None:
        self.outcomes: dict[str, dict[str, int]] = {}
        self.figures: dict[str, dict[str, int]] = {}
        self.remarks: list[str] = []

    def outcome(self, nodeid: str, outcome: str) -> None:
        """One test, with one set of parameters, has "passed", "failed" or was "skipped"."""
        counts = self.outcomes.setdefault(_name(nodeid), {})
        counts[outcome] = counts.get(outcome, 0) + 1

    def figure(self, nodeid: str, name: str, number: int) -> None:
        """A number that a test reports; the sum for all its parameters."""
        figures = self.figures.setdefault(_name(nodeid), {})
        figures[name] = figures.get(name, 0) + number

    def totals(self) -> dict[str, int]:
        """The figures of all tests, by name."""
        totals: dict[str, int] = {}
        for figures in self.figures.values():
            for name, number in figures.items():
                totals[name] = totals.get(name, 0) + number
        return totals

    def merge(self, earlier: dict[str, Any]) -> dict[str, Any]:
        """This run, with the results of earlier ones for other tests."""
        known: dict[str, Any] = dict(earlier.get("tests", {}))
        for name, counts in self.outcomes.items():
            known[name] = {"outcomes": counts, "figures": self.figures.get(name, {})}
        today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        return {"date": today, "machine": machine(), "tests": known}

    def write(self, file: Path = FILE) -> None:
        """Write it, if a test was run."""
        if self.outcomes:
            earlier = json.loads(file.read_text()) if file.exists() else {}
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(self.merge(earlier), indent=1, sort_keys=True) + "\n")
