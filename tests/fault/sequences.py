"""Sequences of PAM calls for pamfault, one fault in each, and their results."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault import errnos

from support.drive import Driver, Step
from support.journal import Journal, Line

# Cases in a process: they must not need more keyrings than a user's quota allows, and on a busy
# machine they must finish before the driver's timeout.
BATCH = 10
_NEXT = "start 9 next carol\nopen 9\nclose 9\nend 9\n"
_LOOKS_AFTER = 4  # of those


@dataclass(frozen=True)
class Sequence:
    """Options of the PAM line, and the calls; handle 1 is bob's, 0 and 2 are alice's."""

    options: str
    calls: tuple[str, ...]

    @property
    def script(self) -> str:
        """The commands for pamfault; after each PAM call, list the module's calls."""
        handles = sorted({call.split()[1] for call in self.calls})
        users = {"0": "alice", "1": "bob", "2": "alice"}
        starts = [f"start {handle} s {users[handle]}" for handle in handles]
        calls = [line for call in self.calls for line in (call, "calls")]
        return "\n".join([*starts, *calls]) + "\n"

    @property
    def looks(self) -> int:
        """The number of inspections during the script, including those at the starts."""
        return len(self.calls) + len({call.split()[1] for call in self.calls})


@dataclass
class Case:
    """One fault: the Nth call of the module, and its errno; 0 is none."""

    position: int = 0
    call: str = ""
    error: str = ""
    steps: list[Step] = field(default_factory=list)
    after: list[Step] = field(default_factory=list)  # the next session
    made: list[list[str]] = field(default_factory=list)  # after each PAM call
    lines: list[Line] = field(default_factory=list)

    def commands(self, number: int) -> str:
        """The commands before the sequence."""
        code = errnos.number(self.error) if self.error else 0
        return f"fork\nsyslog CASE{number}\nfault {self.position} {code}\n"


def _stack(line: str) -> str:
    return "\n".join(f"{part} required {line}" for part in ("auth", "account", "session"))


class _Draining(threading.Thread):
    """Reads the log while it is written: its socket holds about ten lines, then writers block."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self._over = threading.Event()
        self.lines: list[Line] = []
        self.start()

    def run(self) -> None:
        while not self._over.is_set():
            self.lines += self._journal.read()
            time.sleep(0.002)

    def finish(self) -> list[Line]:
        """All lines; the writers have ended."""
        self._over.set()
        self.join()
        return self.lines + self._journal.read()


class Player:
    """Plays cases of a sequence with one loader, which is the start of a PAM line."""

    def __init__(self, program: Path, driver: Driver, journal: Journal, loader: str) -> None:
        self._driver = Driver(program, driver.scratch)
        self._journal = journal
        self._loader = loader

    def _stack(self, options: str) -> str:
        parts = ("auth", "account", "session")
        return "\n".join(f"{part} required {self._loader} {options}" for part in parts)

    def play(self, sequence: Sequence, cases: list[Case]) -> list[Case]:
        """Play each case in its own process, in which our loader has started Python already."""
        script = ["start 0 s bob\nauth 0\nend 0\n"]
        before = 3
        for number, case in enumerate(cases):
            script += [case.commands(number), sequence.script, "fault 0 0\n", _NEXT, "join\n"]
        self._journal.read()
        services = self._driver.services(
            s=self._stack(sequence.options), next=self._stack("force revoke")
        )
        running = self._driver.start(services, "".join(script))
        draining = _Draining(self._journal)
        try:
            outcome = running.outcome()
        finally:
            lines = draining.finish()
        each = sequence.looks + _LOOKS_AFTER
        assert len(outcome.steps) == before + each * len(cases)
        for number, case in enumerate(cases):
            steps = outcome.steps[before + number * each :][:each]
            case.steps, case.after = steps[: sequence.looks], steps[sequence.looks :]
            case.made = outcome.hygiene[number * len(sequence.calls) :][: len(sequence.calls)]
        _share(lines, cases)
        return cases


def _share(lines: list[Line], cases: list[Case]) -> None:
    """Give each case the lines between its mark and the next."""
    current: list[Line] = []
    for line in lines:
        if line.text.startswith("CASE"):
            current = cases[int(line.text[4:])].lines
        else:
            current.append(line)


def cases_of(good: Case) -> list[Case]:
    """A case for each call that was made, with each errno of its manual pages."""
    made = good.made[-1]
    return [
        Case(position, call, error)
        for position, call in enumerate(made, 1)
        for error in errnos.names_of(call)
    ]


def reported(steps: list[Step]) -> list[tuple[Any, ...]]:
    """What was seen, with keyrings numbered in the order of their appearance, to compare."""
    serials: dict[int, int] = {}

    def number(serial: int) -> int:
        return serials.setdefault(serial, len(serials))

    seen = []
    for step in steps:
        session = dict(step.session)
        if "serial" in session:
            session["serial"] = number(session["serial"])
        states = {number(serial): state for serial, state in step.keyrings.items()}
        seen.append((step.call, step.handle, step.code, step.ids, session, states))
    return seen
