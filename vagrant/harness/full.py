"""The full way: one suite's machine with Vagrant, from box to verdicts."""

import subprocess

from harness import libvirt, outcome, plan, records, roots
from harness.host import Watch
from harness.suites import SUITES
from harness.vagrant import Vagrant, say

# These end the run of one suite, and not that of the others.
FAILURES = (
    roots.CannotMake, libvirt.CannotStart, subprocess.SubprocessError, OSError, ValueError,
)  # fmt: skip


def scenarios_of(
    names: list[str], *, quick: bool
) -> tuple[list[plan.Scenario], list[plan.Scenario]]:
    """Those before the reboot, and those after it."""
    every = plan.load()
    before = plan.chosen(every, "vagrant", names, quick=quick)
    return before, plan.chosen(every, "reboot", names, quick=quick)


class Run:
    """One suite by Vagrant: scenarios, reboot, scenarios."""

    def __init__(self, name: str, names: list[str], latency: int, *, quick: bool) -> None:
        """`names` selects scenarios; `latency` is a number of logins, or 0."""
        self._name = name
        self._whole = not names
        self._machine = Vagrant(name, own_home=True)
        self._watch = Watch(self._machine.folder / "vmlinuz")
        before, after = scenarios_of(names, quick=quick)
        reported = {"loaders": list(SUITES[name].loaders), "patience": 120}
        first = records.begun(f"{name}{outcome.BY_VAGRANT}", {**reported, "scenarios": before})
        second = first._replace(plan={**reported, "scenarios": after, "latency": 0}, records=[])
        first.plan["latency"] = latency
        # By the names of the kept runs.
        self._parts = {f"vagrant-{name}": first, f"vagrant-{name}-reboot": second}
        self._parts = {key: one for key, one in self._parts.items() if one.plan["scenarios"]}

    def was_kept(self) -> bool:
        """Take an earlier run to its end, if there is one."""
        found = records.all_earlier(self._parts)
        if not found:
            return False
        self._parts = found
        say(f"{self._name}: kept from {next(iter(self._parts.values())).date}")
        return True

    def run(self) -> None:
        """Box, up, scenarios, reboot, scenarios, destroy."""
        self._machine.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._machine.make_box()
            with libvirt.running(self._machine.folder):
                self._machine.make_way()
                try:
                    self._machine.vagrant("up")
                    for key in self._parts:
                        if key.endswith("-reboot"):
                            say("reboot")
                            self._machine.reboot()
                        self._collect(key)
                finally:
                    self._machine.destroy()
        except FAILURES as why:
            say(str(why))
            for key, one in self._parts.items():
                if not any(record["kind"] == "end" for record in one.records):
                    self._parts[key] = one._replace(ended=str(why))
                    self._save(key)

    def kept(self) -> list[records.Kept]:
        """The results, new or kept."""
        return list(self._parts.values())

    def _collect(self, key: str) -> None:
        """Run a plan; report each record as it comes.  If interrupted, an earlier run stays."""
        one = self._parts[key]
        try:
            for record in self._machine.run(one.plan):
                self._watch.heard(record)
                one.records.append(record)
                if record["kind"] == "result":
                    say(f"{self._name}: {outcome.spoken(record)}")
        finally:
            records.save_latency(key, self._parts[key])
        self._save(key)

    def _save(self, key: str) -> None:
        if self._whole:
            records.save(key, self._parts[key])
