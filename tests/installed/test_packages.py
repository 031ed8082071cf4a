"""How ./setup installs Debian packages (build-aux/setup/packages.sh)."""

import fcntl
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from support import world

pytestmark = pytest.mark.privileged

AUX = world.ROOT / "build-aux/setup"
UPDATE = f". {AUX}/common.sh; . {AUX}/packages.sh; log=$1; apt_update"


def test_an_update_of_somebody_else_is_waited_for(tmp_path: Path) -> None:
    """As apt-daily.service's is.  apt has no lists here but its own empty ones."""
    if not shutil.which("apt-get"):
        world.skip("needs apt")
    (tmp_path / "lists").mkdir()
    config = tmp_path / "apt.conf"
    sources = tmp_path / "sources.list"
    sources.touch()
    config.write_text(
        f'Dir::State "{tmp_path}"; Dir::Etc::SourceList "{sources}"; Dir::Etc::SourceParts "-";\n'
    )
    log = tmp_path / "log"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "APT_CONFIG": str(config)}

    def update() -> int:
        command = ["/bin/sh", "-uc", UPDATE, "sh", str(log)]
        return subprocess.run(command, env=environment, check=False).returncode

    held = os.open(tmp_path / "lists/lock", os.O_RDWR | os.O_CREAT)
    fcntl.lockf(held, fcntl.LOCK_EX)
    release = threading.Timer(2, os.close, [held])
    release.start()
    assert update() == 0
    assert not release.is_alive()
    assert "setup: done" in log.read_text()

    sources.write_text("not a source\n")  # any other failure is one at once
    assert update() == 1
