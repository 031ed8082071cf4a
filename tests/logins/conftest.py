"""Fixtures for logins of real programs."""

from pathlib import Path

import pytest

from support import world


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder where every user of this world can read and write."""
    top = world.folder()
    assert top
    folder = top / "scratch" / tmp_path.name
    folder.mkdir(parents=True)
    folder.chmod(0o1777)
    return folder
