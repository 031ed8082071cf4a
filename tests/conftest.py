"""Fixtures of all tests, and the rule for those that need privileges."""

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from support import turns, world
from support.drive import Driver
from support.journal import Journal
from support.record import Record

# A test's figures and remarks are properties of its report, from any worker.
FIGURE, REMARK = "figure: ", "remark"
# `meson test` also runs without keyutils, which these tests import.
collect_ignore = (
    [
        "helper/inspect/test_explain_words.py",
        "helper/inspect/test_property.py",
        "module/test_hold.py",
        "policies/test_plan.py",
    ]
    if not find_spec("keyutils")
    else []
)
record = Record()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `./setup test` besides pytest's own."""
    parser.addoption("--long", action="store_true", help="everything that takes hours")
    parser.addoption("--fuzz-seconds", type=int, default=5, help="for each target of fuzzing")
    parser.addoption("--deb", action="store_true", help="the Debian package: ./setup deb --test")
    parser.addoption("--sequences", type=int, help="differential sequences of each loader")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of this suite."""
    # Readline, which pytest 8 imports, sets them without os.environ.
    os.unsetenv("COLUMNS")
    os.unsetenv("LINES")
    for mark in (
        "privileged: needs root, keyrings and a private world",
        "whole_machine: looks at what all tests of the machine share; runs alone, at the end",
        "lengthy: takes much longer than others; begins first, so that no worker ends with it",
        "xdist_group(name): goes to one worker with those of the same name",
    ):
        config.addinivalue_line("markers", mark)
    # In the background and under nohup(1) these signals are ignored, and a shell cannot trap a
    # signal that was ignored at its start.  A signal that is caught here has its default action
    # in the programs of the tests.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


# Fixtures that take long: one worker runs all tests that use them.
COSTLY = {"supervisors", "dist", "packages", "wheel"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first, and those that need the whole machine last."""
    uids = {str(uid) for uid in range(world.first_uid(), world.first_uid() + 100)}
    for item in items:
        if uids & set(re.split(r"\D+", item.name)):  # else no two workers have the same tests
            raise pytest.UsageError(f"the id has a uid of this world: name it: {item.nodeid}")
        for costly in COSTLY.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(costly))

    def place(item: pytest.Item) -> int:
        if item.get_closest_marker("whole_machine"):
            return 2
        return 0 if item.get_closest_marker("lengthy") else 1

    items.sort(key=place)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Share the machine with the tests of other workers and suites, or have it exclusively."""
    with turns.room(alone=item.get_closest_marker("whole_machine") is not None):
        world.keep_users()
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skipped privileged test is a failure, except with world.leave_out."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and world.in_ci() and item.get_closest_marker("privileged"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not reason.startswith(world.LEFT_OUT):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI: {reason}"


@pytest.fixture(autouse=True)
def _privileges(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("privileged") and world.folder() is None:
        world.skip(world.NEEDS_ROOT)


@pytest.fixture(scope="session")
def pamdrive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver's program."""
    return world.build_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def driver(pamdrive: Path) -> Iterator[Driver]:
    """A driver with a scratch folder for service files, which every user can read."""
    folder = world.folder()
    assert folder
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        Path(scratch).chmod(0o755)
        yield Driver(pamdrive, Path(scratch))


@pytest.fixture
def faulty(pamdrive: Path, driver: Driver) -> Driver:
    """The same with tests/driver/faults.c, which refuses calls of the loader."""
    return Driver(pamdrive.with_name("pamfault"), driver.scratch)


@pytest.fixture
def journal() -> Iterator[Journal]:
    """The log of a test."""
    folder = world.folder()
    assert folder
    listener = Journal(folder / "log")
    yield listener
    listener.close()


@pytest.fixture(params=sorted(world.LOADERS))
def loader(request: pytest.FixtureRequest) -> str:
    """Each loader in turn: the start of a PAM line, before the options."""
    return world.LOADERS[str(request.param)]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[dict[str, int]]:
    """Numbers for the summary, by name; those of all tests are added."""
    numbers: dict[str, int] = {}
    yield numbers
    request.node.user_properties += [(FIGURE + name, number) for name, number in numbers.items()]


@pytest.fixture
def remarks(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines for the summary."""
    lines: list[str] = []
    yield lines
    request.node.user_properties += [(REMARK, line) for line in lines]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the result of a test; one that was skipped or failed in its setup has no call."""
    if report.when == "call" or report.outcome != "passed":
        record.outcome(report.nodeid, report.outcome)
    if report.when == "teardown":
        for name, value in report.user_properties:
            if name == REMARK:
                record.remarks.append(str(value))
            elif name.startswith(FIGURE):
                record.figure(report.nodeid, name.removeprefix(FIGURE), int(str(value)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Record this run for ./setup promises; workers report to the main process.

    A run without privileges is not recorded.
    """
    if world.folder() and not hasattr(session.config, "workerinput"):
        record.write()


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the figures and remarks."""
    for name, number in record.totals().items():
        terminalreporter.write_line(f"{name}: {number}")
    for line in record.remarks:
        terminalreporter.write_line(line)
