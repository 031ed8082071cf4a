"""Shared fixtures: a PAM module that records its calls, and a machine."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.pam_folder import DEBIAN, PAM_D


@pytest.fixture(scope="session")
def pam_note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, built."""
    module = tmp_path_factory.mktemp("note") / "pam_note.so"
    source = Path(__file__).with_name("pam_note.c")
    subprocess.run(["gcc", "-Wall", "-shared", "-fPIC", "-o", module, source], check=True)
    return module


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """This machine with few PAM services, units and settings, which only this test sees.

    Returns the folder of its services.
    """
    folders = [PAM_D, Path("/var/lib"), Path("/etc/systemd/system"), Path("/etc/ssh")]
    folders = [path for path in folders if path.is_dir()]
    for number, path in enumerate(folders):
        mine = tmp_path / str(number)
        mine.mkdir()
        subprocess.run(["mount", "--bind", mine, path], check=True)
    for path in DEBIAN.iterdir():
        if path.name.startswith("common-") or path.name in ("login", "other"):
            shutil.copy(path, PAM_D)
    yield PAM_D
    for path in folders:
        subprocess.run(["umount", path], check=True)
