"""The fast path: each suite's machine from packages to verdicts."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from harness import claims, outcome, plan, records, roots
from harness.host import Watch
from harness.machine import Machine
from harness.suites import NATIVE, Suite

Record = dict[str, Any]

# What the tests in a machine do without.
NOT_TESTED = shutil.ignore_patterns("build", ".git", "__pycache__")


class Run:
    """The run of one suite; `start` and `wait`, so that suites can overlap."""

    def __init__(
        self, suite: Suite, scenarios: list[plan.Scenario], latency: int, *, whole: bool
    ) -> None:
        """`whole` is whether to keep the run: it has all scenarios."""
        self._whole = whole
        self.suite = suite
        self._plan = {
            "loaders": [loader for loader in plan.LOADERS if loader in self.suite.loaders],
            "scenarios": scenarios,
            "latency": latency,
            "patience": 90,
        }
        if whole and suite.architecture != NATIVE:
            self._plan |= {"patience": 600, "claims": True, "tests": True}
        self.kept = records.begun(suite.name, self._plan)
        self._watch = Watch(roots.Parts(self.suite).kernel_file())
        self._machine = Machine(self.suite, self._plan, self._heard, self._fill)
        self._thread = threading.Thread(target=self._run)
        self._ended = threading.Event()
        self._stopped = False

    def was_kept(self) -> bool:
        """Take an earlier run to its end, if there is one."""
        found = records.all_earlier({self.suite.name: self.kept})
        if not found:
            return False
        self.kept = found[self.suite.name]
        self._say(f"kept from {self.kept.date}")
        return True

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def wait(self) -> None:
        """Until the machine has ended."""
        # Not by join(): where that is interrupted, Python 3.11 takes the thread for ended.
        self._ended.wait()

    def stop(self) -> None:
        """End the machine, and wait until its files are gone.  An earlier run stays kept."""
        self._stopped = True
        self._machine.stop()
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._make_and_boot()
        finally:
            self._ended.set()

    def _make_and_boot(self) -> None:
        begun = time.monotonic()
        self._say("making its root file system")
        ended = ""
        said: list[Record] = []
        try:
            said = self._machine.run()
        except (roots.CannotMake, subprocess.SubprocessError, OSError, ValueError) as reason:
            ended = str(reason)
            self._say(ended)
        self.kept = self.kept._replace(records=said, ended=ended)
        if self._whole and not self._stopped:
            records.save(self.suite.name, self.kept)
        records.save_latency(self.suite.name, self.kept)
        self._say(f"{time.monotonic() - begun:.0f} s in all")

    def _fill(self, guest: Path) -> None:
        if self._plan.get("claims"):
            claims.bundle(guest / "claims.pyz")
        if self._plan.get("tests"):
            shutil.copytree(roots.Parts(self.suite).stage(), guest / "stage")
            shutil.copytree(roots.TREE, guest / "tree", ignore=NOT_TESTED)

    def _heard(self, record: Record) -> None:
        self._watch.heard(record)
        if record["kind"] == "machine":
            self._say(f"booted: {record['system']}, {record['kernel']}, {record['python']}")
        elif record["kind"] == "result":
            self._say(outcome.spoken(record))
        elif record["kind"] == "tests":
            self._say(record["summary"])

    def _say(self, text: str) -> None:
        print(f"{self.suite.name}: {text}", file=sys.stderr, flush=True)
