"""Results of other kernels, by `./setup claims --on SUITE`: a file for each, kept in the tree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).with_name("kernels")

Verdict = tuple[str, str]
Reported = dict[str, dict[str, Verdict]]  # by page, by statement


class Kernel(NamedTuple):
    """A kernel, and its verdicts."""

    suite: str
    release: str
    python: str
    reported: Reported

    @property
    def column(self) -> str:
        """Its heading in a table: the relevant part of the version, and the suite."""
        return f"{'.'.join(self.release.split('.')[:2])} {self.suite}"

    def cell(self, page: str, statement: str, here: Verdict) -> str:
        """The text of a cell, beside the verdict of the kernel that made the table."""
        verdict = self.reported.get(page, {}).get(statement)
        if verdict is None:
            return "not asked"
        word, details = verdict
        if (word, details) == here:
            return "="
        return f"{word}: {details}" if details else word


def save(suite: str, said: dict[str, Any]) -> None:
    """Keep a machine's result: "kernel", "python" and "verdicts"."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{suite}.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def load() -> list[Kernel]:
    """Load all kept results, the oldest kernel first."""
    found = []
    for file in FOLDER.glob("*.json"):
        said = json.loads(file.read_text())
        reported = {
            page: {statement: tuple(verdict) for statement, verdict in verdicts.items()}
            for page, verdicts in said["verdicts"].items()
        }
        found.append(Kernel(file.stem, said["kernel"], said["python"], reported))
    return sorted(found, key=lambda kernel: (_version(kernel.release), kernel.suite))


def _version(release: str) -> list[int]:
    return [int(part) for part in release.partition("-")[0].split(".")[:2]]
