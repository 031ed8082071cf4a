"""A PAM module that writes down that it was called, and what else these tests share."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import pam_folder


@pytest.fixture(scope="session")
def pam_note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, built."""
    module = tmp_path_factory.mktemp("note") / "pam_note.so"
    source = Path(__file__).with_name("pam_note.c")
    subprocess.run(["gcc", "-Wall", "-shared", "-fPIC", "-o", module, source], check=True)
    return module


@pytest.fixture
def pam_d(tmp_path: Path) -> Iterator[Path]:
    """/etc/pam.d and /var/lib of this test alone."""
    with pam_folder.private(tmp_path) as folder:
        yield folder
