"""The sdist, built as packagers build it: with only meson and headers, and no network."""

import subprocess
from pathlib import Path

import pytest

from support import world

from .conftest import bootstrap, scratch

pytestmark = pytest.mark.privileged
BUILDING = (
    "meson,gcc,binutils,libc6-dev,libpam0g-dev,libpython3-dev,python3-dev,python3-pytest,"
    "python3-hypothesis"
)
BUILD = """
cd /root/source
meson setup --wrap-mode=nodownload --prefix=/usr --libdir=lib64 /root/build
meson compile -C /root/build
meson test --print-errorlogs -C /root/build
DESTDIR=/root/laid meson install -C /root/build
"""


def _sdist() -> Path:
    if not (world.ROOT / ".git").exists():
        pytest.skip("an sdist is made of a commit, and this tree is in no git repository")
    folder = scratch()
    dist = [world.ROOT / "build-aux/dist.sh"]
    subprocess.run(dist, env={"PATH": "/usr/bin:/bin", "DIST": str(folder)}, check=True)
    (made,) = folder.glob("*.tar.gz")
    return made


def test_it_is_built_in_an_empty_system_without_a_network() -> None:
    sdist = _sdist()
    root = bootstrap(BUILDING)
    source = root / "root/source"
    source.mkdir()
    unpack = ["tar", "-x", "-f", str(sdist), "-C", str(source), "--strip-components", "1"]
    subprocess.run(unpack, check=True)
    subprocess.run(["/bin/mount", "-t", "proc", "proc", root / "proc"], check=True)
    try:
        done = subprocess.run(
            ["/usr/bin/unshare", "--net", "/usr/sbin/chroot", root, "/bin/sh", "-ec", BUILD],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        subprocess.run(["/bin/umount", root / "proc"], check=True)
    assert done.returncode == 0, done.stdout + done.stderr
    laid = root / "root/laid"
    assert (laid / "usr/lib64/security/pam_pykeyinit.so").is_file()
    assert (laid / "usr/share/licenses/pam_pykeyinit/LICENSE").is_file()
    assert (laid / "usr/bin/pykeyinit-helper").is_file()
