"""The results of machines, kept in build/vm: a report can use several runs."""

import datetime
import json
from pathlib import Path
from typing import Any, NamedTuple

from harness import outcome, roots

Record = dict[str, Any]


class Kept(NamedTuple):
    """One run: its plan, its records, and why there may be no more."""

    label: str  # the suite, as in tables
    date: str
    plan: Record
    records: list[Record]
    ended: str = ""
    code: str = ""  # the code of the run, from roots.code()
    version: str = ""  # of the module

    def rows(self) -> list[outcome.Row]:
        """Its verdicts."""
        return outcome.rows(self.label, self.plan, self.records, self.ended)

    def repeats(self, other: "Kept") -> bool:
        """Whether it ran to its end, with the plan and the code of the other."""
        came_to_end = not self.ended and any(r["kind"] == "end" for r in self.records)
        # A file has lists where a plan may have tuples.
        plan = json.loads(json.dumps(other.plan))
        return came_to_end and self.code == other.code and self.plan == plan

    def latency(self) -> Record:
        """The measured latency, if any."""
        return next((r for r in self.records if r["kind"] == "latency"), {})


def begun(label: str, plan: Record) -> Kept:
    """A run of today and of this tree, without records."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Kept(label, today, plan, [], "", roots.code(), roots.version())


def save(name: str, kept: Kept, folder: Path = roots.BUILD) -> None:
    """Keep a run under this name, instead of an earlier one: all of it, or nothing."""
    head = {"kind": "plan", **kept._replace(records=[])._asdict()}
    lines = [json.dumps(record) + "\n" for record in [head, *kept.records]]
    part = folder / f"results-{name}.part"
    part.write_text("".join(lines))
    part.replace(folder / f"results-{name}.jsonl")


def earlier(name: str, folder: Path = roots.BUILD) -> Kept | None:
    """The run that is kept under this name."""
    file = folder / f"results-{name}.jsonl"
    return _read(file) if file.exists() else None


def all_earlier(runs: dict[str, Kept], folder: Path = roots.BUILD) -> dict[str, Kept] | None:
    """The kept runs of these names, if each repeats the given run."""
    found = {name: earlier(name, folder) for name in runs}
    whole = {name: one for name, one in found.items() if one and one.repeats(runs[name])}
    return whole if len(whole) == len(runs) else None


def save_latency(name: str, kept: Kept, folder: Path = roots.BUILD) -> None:
    """Keep the measurement separately, if there is one: scenarios change without it."""
    if kept.latency():
        reported = {**kept.plan, "scenarios": []}
        save(f"{name}-latency", kept._replace(plan=reported, records=[kept.latency()]), folder)


def load(folder: Path = roots.BUILD) -> list[Kept]:
    """All runs that are kept, by name."""
    return [_read(file) for file in sorted(folder.glob("results-*.jsonl"))]


def _read(file: Path) -> Kept:
    head, *records = (json.loads(line) for line in file.read_text().splitlines())
    del head["kind"]
    return Kept(**{**head, "records": records})
