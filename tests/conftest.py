"""Fixtures of all tests, and the rule for those that need privileges."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from support import world
from support.drive import Driver
from support.journal import Journal
from support.record import Record

counts: dict[str, int] = {}
notes: list[str] = []
record = Record()


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `./setup test` takes besides pytest's own options."""
    parser.addoption("--long", action="store_true", help="everything that takes hours")
    parser.addoption("--fuzz-seconds", type=int, default=60, help="for each target of fuzzing")
    parser.addoption("--deb", action="store_true", help="the Debian package: ./setup deb --test")
    parser.addoption("--sequences", type=int, help="differential sequences: 2,000, 100,000 --long")


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark that tests of this suite wear."""
    config.addinivalue_line("markers", "privileged: needs root, keyrings and a private world")


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
def journal() -> Iterator[Journal]:
    """What is logged during a test."""
    folder = world.folder()
    assert folder
    listener = Journal(folder / "log")
    yield listener
    listener.close()


@pytest.fixture(params=sorted(world.LOADERS))
def loader(request: pytest.FixtureRequest) -> str:
    """Each loader in turn: what stands in a PAM line before the options."""
    return world.LOADERS[str(request.param)]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[dict[str, int]]:
    """Numbers that the summary reports, by name."""
    before = dict(counts)
    yield counts
    for name, number in counts.items():
        if before.get(name) != number:
            record.figure(request.node.nodeid, name, number)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what a test gave; one that was skipped or broken before it began has no call."""
    if report.when == "call" or report.outcome != "passed":
        record.outcome(report.nodeid, report.outcome)


def pytest_sessionfinish() -> None:
    """Keep what this run gave, for ./setup promises: not of a run that skips most."""
    if world.folder():
        record.write()


@pytest.fixture(scope="session")
def remarks() -> list[str]:
    """Lines for the summary."""
    return notes


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say how much was run, where a number says more than "passed"."""
    for name, number in counts.items():
        terminalreporter.write_line(f"{name}: {number}")
    for line in notes:
        terminalreporter.write_line(line)
