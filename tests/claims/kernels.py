"""What other kernels said, by `./setup claims --on SUITE`: a file each, kept in the tree."""

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
        """What a table calls it: the version as far as it matters, and the suite."""
        return f"{'.'.join(self.release.split('.')[:2])} {self.suite}"

    def cell(self, page: str, statement: str, here: Verdict) -> str:
        """What a table says of a claim beside the verdict of the kernel that it is made on."""
        verdict = self.reported.get(page, {}).get(statement)
        if verdict is None:
            return "not asked"
        word, details = verdict
        if (word, details) == here:
            return "="
        return f"{word}: {details}" if details else word


def save(suite: str, said: dict[str, Any]) -> None:
    """Keep what a machine said: "kernel", "python" and "verdicts"."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{suite}.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def load() -> list[Kernel]:
    """All that are kept, the oldest kernel first."""
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
