"""`force` without enough memory or descriptors: the caller's keys are not found.

The user who starts a set-user-ID program chooses its limits and its descriptors 0, 1 and 2.
Where pam_keyinit's session has a keyring of its own, ours has one too: the user's, or an empty
one if Python cannot be started, with an error and one line in the log for each call.
"""

import itertools
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from support import world
from support.drive import Driver

pytestmark = pytest.mark.privileged

OURS = "pam_pykeyinit.so"
OPTIONS = ["force", "force revoke tag link=user,persistent quota_warn=1"]
KINDS = ["directory", "closed", "path", "pipe", "full", "socket"]
SUCCESS, SESSION_ERR = 0, 14
PAGE = 4096
PLENTY = 12 << 20


@dataclass(frozen=True)
class Result:
    """The output of starved.c for a case."""

    ended: int
    opened: int
    closed: int
    planted: str
    owner: int
    written: int
    lines: int
    text: str


def _results(module: str, options: str, cases: list[str], driver: Driver) -> list[Result]:
    services = driver.services(s=f"session required {module} {options}")
    log = world.folder()
    assert log
    run = subprocess.run(
        [driver.program.parent / "starved", services, "s", "alice", log / "log"],
        input="".join(f"{case}\n" for case in cases),
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert (run.returncode, run.stderr) == (0, "")
    results = []
    for line in run.stdout.splitlines():
        ended, opened, closed, planted, owner, written, lines, text = line.split(" ", 7)
        numbers = (int(ended), int(opened), int(closed))
        results.append(Result(*numbers, planted, int(owner), int(written), int(lines), text))
    assert len(results) == len(cases)
    return results


def _fault(case: str, ours: Result, theirs: Result) -> str:
    """The problem in words; empty if there is none."""
    if ours.ended == theirs.ended != 0:
        return ""  # from libpam or libc
    if ours.ended:
        return f"the program ended with {signal.Signals(ours.ended).name}"
    if ours.written:
        return "something was written to the program's descriptors"
    if ours.opened == SUCCESS:
        good = ours.owner == world.uid("alice") and ours.planted == "gone" and not ours.lines
        return "" if good else "success, but not the user's own keyring, or a line in the log"
    if theirs.opened == SUCCESS and ours.planted != "gone":
        return "the caller's keyring stayed"
    if theirs.opened == SUCCESS and ours.opened != SESSION_ERR:
        return "the module was not called"
    expected = [ours.opened, ours.closed].count(SESSION_ERR)
    # syslog(3) needs memory too, and a thread allocates its own arena.
    lost = "thread" in case or theirs.opened != SUCCESS
    if ours.lines > expected or (ours.lines < expected and not lost):
        return f"{ours.lines} lines in the log"
    return ""


def _faults(cases: Iterable[str], options: str, driver: Driver) -> list[str]:
    """The problems of the cases: at most the first of each kind."""
    cases = list(cases)
    found: dict[str, str] = {}
    pairs = zip(
        _results(OURS, options, cases, driver),
        _results(world.ORACLE, options.split()[0], cases, driver),
        strict=True,
    )
    for case, (ours, theirs) in zip(cases, pairs, strict=True):
        fault = _fault(case, ours, theirs)
        if fault:
            found.setdefault(fault, f"{case}: {fault}: {ours}; pam_keyinit: {theirs}")
    return list(found.values())


@pytest.mark.parametrize("limit", ["as", "data"])
@pytest.mark.parametrize(
    ("state", "options", "pages"),
    [
        ("", OPTIONS[0], 32),
        ("", OPTIONS[0], 1),
        ("thread ", OPTIONS[1], 3),
        ("warm ", OPTIONS[1], 3),
    ],
    ids=["quick", "first", "thread", "warm"],
)
def test_little_memory(state: str, options: str, pages: int, limit: str, driver: Driver) -> None:
    """From none to plenty, a page or a few at a time; the quick one is for mutants."""
    cases = [f"{state}{limit} {size}" for size in range(0, PLENTY, pages * PAGE)]
    assert _faults(cases, options, driver) == []


@pytest.mark.parametrize("options", OPTIONS, ids=["force", "policies"])
@pytest.mark.parametrize("state", ["", "thread ", "warm ", "warm thread "])
def test_no_memory_is_left(state: str, options: str, driver: Driver) -> None:
    """The program itself has allocated all that the limit allows."""
    limits = [f"{limit} {1 << shift}" for limit in ("as", "data") for shift in range(12, 27)]
    assert _faults([f"{state}{limit} fill" for limit in limits], options, driver) == []


@pytest.mark.parametrize("options", OPTIONS, ids=["force", "policies"])
def test_few_descriptors(options: str, driver: Driver) -> None:
    cases = [f"{warm}nofile {free}" for warm in ("", "warm ") for free in range(20)]
    assert _faults(cases, options, driver) == []


@pytest.mark.parametrize("options", OPTIONS, ids=["force", "policies"])
def test_odd_descriptors(options: str, driver: Driver) -> None:
    """Each of the first three, and combinations."""
    cases = []
    for which in ([0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]):
        for kinds in itertools.product(KINDS, repeat=len(which)):
            words = (f"fd {number} {kind}" for number, kind in zip(which, kinds, strict=True))
            cases.append(" ".join(words))
    assert _faults(cases, options, driver) == []
    results = _results(OURS, options, cases, driver)
    assert {(result.opened, result.owner) for result in results} == {(0, world.uid("alice"))}


def test_what_it_looks_at_is_seen(driver: Driver) -> None:
    """Without `force` the planted key is found, as with pam_keyinit: the test can fail."""
    for module in (OURS, world.ORACLE):
        (result,) = _results(module, "", [""], driver)
        assert (result.ended, result.opened, result.planted) == (0, SUCCESS, "found")
