"""Generated sequences of PAM calls, through our module and through pam_keyinit."""

import itertools
import math
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from differential.compare import compare
from differential.sequences import Handle, Line, Sequence, sequences
from support import world
from support.drive import Driver, Outcome

pytestmark = [pytest.mark.privileged, pytest.mark.lengthy]

# Each of pam_python's sequences starts two interpreters, and the module is the same.
USUAL, LONG = {"native": 400, "pam_python": 200}, 100_000
# A later handle finds what an ended one left, and closes it.
_LINES = (Line("auth", ("revoke",)), Line("session", ("revoke",)))
LATER = Sequence(
    stage="none",
    real="root",
    handles=(Handle("alice", _LINES, permit=False),),
    calls=(("open", 0), ("end", 0), ("establish", 0), ("close", 0)),
    threads=(),
)
PARTS = 4  # that workers can run at the same time

# What the loader changes in the process before it calls us, also with an empty module.
LOADERS_OWN = {"pam_python": ("locale ",), "native": ()}


def _pam_keyinit() -> Path:
    listing = subprocess.run(
        ["dpkg", "-L", "libpam-modules"], capture_output=True, text=True, check=False
    ).stdout.split()
    found = [Path(line) for line in listing if line.endswith("/pam_keyinit.so")]
    return found[0] if found else Path("/usr/lib64/security/pam_keyinit.so")


class Bench:
    """Runs a sequence through both modules at once, each in a new process."""

    def __init__(self, driver: Driver, loader: str) -> None:
        self.driver = driver
        self.loader = loader
        self.copies = [driver.scratch / f"pam_keyinit{n}.so" for n in range(2)]
        for copy in self.copies:
            shutil.copy(_pam_keyinit(), copy)

    def run(self, sequence: Sequence) -> tuple[Outcome, Outcome]:
        """The results of our module and of pam_keyinit."""
        ours = {f"h{n}": h.stack(self.loader) for n, h in enumerate(sequence.handles)}
        theirs = {
            f"h{n}": h.stack(str(copy))
            for n, (h, copy) in enumerate(zip(sequence.handles, self.copies, strict=False))
        }
        folders = [self.driver.services(**ours), self.driver.services(**theirs)]
        locale = {"LC_ALL": "C.UTF-8"}  # in C, newer versions of pam_python set LC_CTYPE
        runs = [self.driver.start(folder, sequence.script(), env=locale) for folder in folders]
        outcomes = [run.outcome() for run in runs]
        for folder in folders:
            shutil.rmtree(folder)
        return outcomes[0], outcomes[1]


def assert_hygiene(outcome: Outcome, loader: str) -> None:
    """The process is unchanged, except for the changes of the loader itself."""
    changed = ("SigQ", *LOADERS_OWN[world.kind(loader)])
    before, after = (
        [line for line in seen if not line.startswith(changed)] for seen in outcome.hygiene
    )
    assert after == before


def _reached(outcome: Outcome) -> set[str]:
    """The progress of a sequence, to show that the generator reaches the interesting states."""
    states = [state for step in outcome.steps for state in step.keyrings.values()]
    first = len(outcome.steps[0].keyrings)
    made = any(len(step.keyrings) > first for step in outcome.steps)
    ended = states.count("EKEYREVOKED") > 0 and made
    reached = {"a keyring was made": made, "a keyring was made, and one was revoked": ended}
    return {what for what, so in reached.items() if so}


def _threads(loader: str) -> str:
    """The comparable kind of threads: pam_python.so never takes the GIL, and crashes with threads;
    pam_keyinit.so has its state in the thread since Linux-PAM 1.5.3.
    """
    if loader.startswith("pam_python"):
        return ""
    segments = subprocess.run(
        ["readelf", "-lW", _pam_keyinit()], capture_output=True, text=True, check=True
    ).stdout
    return "handle" if " TLS " in segments else "call"


@pytest.mark.parametrize("part", range(PARTS))
def test_every_sequence_is_as_with_pam_keyinit(
    part: int, driver: Driver, loader: str, request: pytest.FixtureRequest, tally: dict[str, int]
) -> None:
    bench = Bench(driver, loader)
    number = itertools.count(1)
    option = request.config.getoption
    wanted = option("--sequences") or (LONG if option("--long") else USUAL[world.kind(loader)])
    name = loader.split()[0]

    @settings(
        max_examples=math.ceil(wanted / PARTS),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @example(LATER)
    @given(sequences(threads=_threads(loader)))
    def check(sequence: Sequence) -> None:
        ours, theirs = bench.run(sequence)
        tally[f"differential sequences of {name}"] = next(number)
        comparison = compare(ours, theirs, threads=bool(sequence.threads))
        for what in {*comparison.wanted, *_reached(theirs)}:
            line = f"  of {name}: {what}"
            tally[line] = tally.get(line, 0) + 1
        assert not comparison.unwanted, "\n".join([sequence.script(), *comparison.unwanted])
        assert_hygiene(ours, loader)

    check()
