"""A PAM module that writes down that it was called, and what else these tests share."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pam_note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, built."""
    module = tmp_path_factory.mktemp("note") / "pam_note.so"
    source = Path(__file__).with_name("pam_note.c")
    subprocess.run(["gcc", "-Wall", "-shared", "-fPIC", "-o", module, source], check=True)
    return module
