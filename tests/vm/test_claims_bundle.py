"""The claims as one file for machines with other kernels."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness import claims


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The file, where every user can read it."""
    folder = tmp_path
    while folder != Path(tempfile.gettempdir()):
        folder.chmod(0o755)
        folder = folder.parent
    file = tmp_path / "claims.pyz"
    claims.bundle(file)
    return file


def test_it_has_all_that_it_imports(bundle: Path) -> None:
    """Without root it prints an error, after it has imported every page."""
    become = [] if os.geteuid() else ["setpriv", "--reuid=65534", "--clear-groups"]
    reported = subprocess.run(
        [*become, sys.executable, "-I", bundle, "--json"], capture_output=True, text=True
    )
    assert (reported.returncode, reported.stdout) == (1, "")
    assert reported.stderr.startswith("run.py needs root")


def test_it_has_no_test_and_nothing_that_was_compiled(bundle: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", bundle], capture_output=True, text=True, check=True
    ).stdout
    assert "claims/session_keyring.py" in listed
    assert "pam_pykeyinit/kernel/syscalls.py" in listed
    assert ".pyc" not in listed
