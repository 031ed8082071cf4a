"""The build that uses the system's shared library of Python (-Dlibpython=shared).

It works in a program without a Python.  In other programs it refuses, with a line.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support import mounts, native, pythons, world
from support.drive import Driver
from support.journal import Journal
from support.workshop import Workshop

# One worker builds it.
pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("shared")]

SESSION = "open look close look end"
REFUSED = "cannot start Python: the program {}; an empty session keyring replaces the caller's"
Embed = Callable[..., list[str]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of that build, by the paths where libpam looks for them."""
    folder = tmp_path_factory.mktemp("shared")
    return Workshop(folder, "-Dlibpython=shared").build({})


@pytest.fixture
def embed(built: dict[str, Path], driver: Driver) -> Embed:
    """Run a program that embeds a library of Python through some steps; return its output."""
    program = str(driver.program.parent / "embed")
    start = mounts.wrapper(driver.scratch / "embed", built, program)
    services = driver.services(s="session required pam_pykeyinit.so force revoke")

    def run(library: str | Path, steps: str) -> list[str]:
        done = subprocess.run(
            [start, library, services, "s", "alice", *steps.split()],
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return run


def test_it_works_in_a_program_without_a_python(embed: Embed, journal: Journal) -> None:
    alice = str(world.uid("alice"))

    for steps in (SESSION, f"{SESSION} {SESSION}", f"load {SESSION}"):
        seen = embed(native.LIBPYTHON, steps)
        assert seen == ["0", alice, "0", "revoked", "0"] * steps.count("open")
    assert [repr(line) for line in journal.ours()] == []


@pytest.mark.parametrize("begun", ["init", "hold", "hold sub"])
def test_it_refuses_a_python_that_it_would_share(
    begun: str, embed: Embed, journal: Journal
) -> None:
    opened, owner, closed, *_ = embed(native.LIBPYTHON, f"{begun} {SESSION} run")

    assert (opened, owner, closed) == ("14", str(world.uid("alice")), "14")
    reason = REFUSED.format("runs this Python itself, and this build shares the library")
    assert reason in [line.text.partition(": ")[2] for line in journal.ours()]


@pytest.mark.parametrize("library", pythons.libraries() or [""])
def test_it_refuses_the_symbols_of_another_python(
    library: str, embed: Embed, journal: Journal
) -> None:
    if not library:
        world.leave_out("there is no other Python: see OTHER_PYTHONS")
    opened, *_ = embed(library, f"init {SESSION} run finalize")

    assert opened == "14"
    reason = REFUSED.format("has another Python, and this build shares its symbols")
    assert reason in [line.text.partition(": ")[2] for line in journal.ours()]
