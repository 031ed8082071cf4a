"""Fixtures for logins of real programs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from logins import sshd

from support import world


@pytest.fixture(scope="module")
def server() -> Iterator[sshd.Sshd]:
    """One sshd for the tests of a file; it reads its PAM stack at each login."""
    if world.folder() is None:  # this runs before tests/conftest.py skips tests
        world.skip(world.NEEDS_ROOT)
    with tempfile.TemporaryDirectory(dir=world.folder()) as name:
        Path(name).chmod(0o755)
        with sshd.running(Path(name)) as daemon:
            yield daemon


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder where every user of this world can read and write."""
    top = world.folder()
    assert top
    folder = top / "scratch" / tmp_path.name
    folder.mkdir(parents=True)
    folder.chmod(0o1777)
    return folder
