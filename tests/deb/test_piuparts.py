"""piuparts(1): install, remove, purge and install again; nothing of the package is left."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support import world

from .conftest import bootstrap, suite

pytestmark = pytest.mark.privileged
PIUPARTS = """
cd /root
piuparts --distribution {suite} --mirror 'http://deb.debian.org/debian main' \
    --scriptsdir /etc/piuparts/scripts {option} {package} >log 2>&1 || {{ cat log; exit 1; }}
grep -E ' (WARN|ERROR|FAIL|PASS): ' log
"""


@pytest.fixture(scope="module")
def root() -> Path:
    """A system that has piuparts, whose systems take an old mirror, as ours do."""
    made = bootstrap("piuparts,debootstrap,ca-certificates")
    script = made / "etc/piuparts/scripts/post_chroot_unpack_old_mirror"
    script.write_text(
        "#!/bin/sh\necho 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/99old\n"
    )
    script.chmod(0o755)
    return made


@pytest.mark.parametrize("option", ["--install-remove-install", "--install-purge-install"])
def test_nothing_is_left_behind(root: Path, package: Path, option: str) -> None:
    shutil.copy(package, root / "root")
    script = PIUPARTS.format(suite=suite(), option=option, package=package.name)
    done = subprocess.run(
        [world.ROOT / "build-aux/debian.sh", "enter", root, "sh", "-ec", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if " PASS: " not in line] == []
    assert " PASS: All tests." in done.stdout
