"""The fast path: each suite's machine from packages to verdicts."""

import json
import sys
import threading
import time
from typing import Any

from harness import outcome, plan, roots
from harness.machine import Machine
from harness.suites import SUITES

Record = dict[str, Any]


class Run:
    """The rows and figures of one suite; `start` and `wait`, so that suites can overlap."""

    def __init__(self, name: str, scenarios: list[plan.Scenario], latency: int) -> None:
        self.suite = SUITES[name]
        loaders = [loader for loader in plan.LOADERS if loader in self.suite.loaders]
        self._plan = {
            "loaders": loaders,
            "scenarios": scenarios,
            "latency": latency,
            "patience": 90,
        }
        self.rows: list[outcome.Row] = []
        self.records: list[Record] = []
        self.latency: Record = {}
        self._machine = Machine(self.suite, self._plan, self._heard)
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def wait(self) -> None:
        """Until the machine has ended."""
        self._thread.join()

    def stop(self) -> None:
        """End the machine, and wait until its files are gone."""
        self._machine.stop()
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        begun = time.monotonic()
        self._say("making its root file system")
        ended = ""
        try:
            self.records = self._machine.run()
        except roots.CannotMake as reason:
            ended = str(reason)
            self._say(ended)
        results = "".join(json.dumps(record) + "\n" for record in self.records)
        (roots.BUILD / f"results-{self.suite.name}.jsonl").write_text(results)
        self.rows = outcome.rows(self.suite.name, self._plan, self.records, ended)
        self._say(f"{time.monotonic() - begun:.0f} s in all")

    def _heard(self, record: Record) -> None:
        if record["kind"] == "machine":
            self._say(f"booted: {record['system']}, {record['kernel']}, {record['python']}")
        elif record["kind"] == "result":
            why = record.get("not_run") or f"{record['logins']} in, {record['seconds']} s"
            self._say(f"{record['loader']}: {record['scenario']}: {why}")
        elif record["kind"] == "latency":
            self.latency = record

    def _say(self, text: str) -> None:
        print(f"{self.suite.name}: {text}", file=sys.stderr, flush=True)
