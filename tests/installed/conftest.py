"""Fixtures of the tests that install."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import world


@pytest.fixture
def opt() -> Iterator[Path]:
    """A prefix in this world, the same for all tests: install.sh sets up its build once for it."""
    top = world.folder()
    assert top
    prefix = top / "opt"
    yield prefix
    shutil.rmtree(prefix, ignore_errors=True)
