"""Fixtures for `enable` and `disable`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import pam_folder


@pytest.fixture
def pam_d(tmp_path: Path) -> Iterator[Path]:
    """/etc/pam.d and /var/lib of this test only."""
    with pam_folder.private(tmp_path) as folder:
        yield folder
