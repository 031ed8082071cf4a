"""What machines said, kept in build/vm: a report can be made of several runs."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from harness import outcome, roots

Record = dict[str, Any]


class Kept(NamedTuple):
    """One run: its plan, what came of it, and why there may be no more."""

    label: str  # the suite, as tables call it
    date: str
    plan: Record
    records: list[Record]
    ended: str = ""

    def rows(self) -> list[outcome.Row]:
        """Its verdicts."""
        return outcome.rows(self.label, self.plan, self.records, self.ended)

    def latency(self) -> Record:
        """What was measured, if anything was."""
        return next((r for r in self.records if r["kind"] == "latency"), {})


def save(name: str, kept: Kept, folder: Path = roots.BUILD) -> None:
    """Keep a run under this name, in place of an earlier one."""
    head = {"kind": "plan", **kept._replace(records=[])._asdict()}
    lines = [json.dumps(record) + "\n" for record in [head, *kept.records]]
    (folder / f"results-{name}.jsonl").write_text("".join(lines))


def save_latency(name: str, kept: Kept, folder: Path = roots.BUILD) -> None:
    """Keep what was measured by itself, if anything was: scenarios come and go without it."""
    if kept.latency():
        told = {**kept.plan, "scenarios": []}
        save(f"{name}-latency", kept._replace(plan=told, records=[kept.latency()]), folder)


def load(folder: Path = roots.BUILD) -> list[Kept]:
    """All runs that are kept, by name."""
    found = []
    for file in sorted(folder.glob("results-*.jsonl")):
        head, *records = (json.loads(line) for line in file.read_text().splitlines())
        found.append(Kept(head["label"], head["date"], head["plan"], records, head["ended"]))
    return found
