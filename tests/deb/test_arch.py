"""The package for Arch, built by Debian's makepkg, and installed into a scratch root."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import native, world

from .conftest import LINES, scratch

pytestmark = pytest.mark.privileged
ARCH = world.ROOT / "packaging/arch"
HELPER = "/usr/local/bin/pykeyinit-helper"


@pytest.fixture(scope="module")
def laid() -> Path:
    """A root with the content of the last commit's package."""
    if not shutil.which("makepkg"):
        world.skip("needs makepkg")
    if not (world.ROOT / ".git").exists():
        pytest.skip("the sdist is made of a commit, and this tree is in no git repository")
    folder = scratch()
    dist = {"PATH": "/usr/bin:/bin", "DIST": str(folder)}
    subprocess.run([world.ROOT / "build-aux/dist.sh"], env=dist, check=True, capture_output=True)
    shutil.copytree(ARCH, folder, dirs_exist_ok=True)
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, world.uid("alice"), world.gid("alice"))
    done = subprocess.run(
        ["/usr/bin/makepkg", "--nodeps", "--noconfirm"],  # their names are Arch's
        cwd=folder,
        # Its tests must not find files in /tmp of an alice of another world.
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LC_ALL": "C.UTF-8",
        },
        user=world.uid("alice"),  # makepkg refuses to build as root
        group=world.gid("alice"),
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^Ok: +1\b", done.stdout, re.MULTILINE), done.stdout  # meson test
    (made,) = folder.glob("*.pkg.tar*")
    root = folder / "root"
    root.mkdir()
    subprocess.run(["/usr/bin/bsdtar", "-x", "-f", made, "-C", root], check=True)
    return root


def test_files_are_where_arch_has_them(laid: Path) -> None:
    packages = f"usr/lib/python{native.VERSION}/site-packages"
    for name in (
        "usr/bin/pykeyinit-helper",
        "usr/lib/security/pam_pykeyinit.so",
        f"{packages}/pam_pykeyinit/module.py",
        f"{packages}/pykeyinit_helper/run/run.py",
        "usr/share/doc/pam_pykeyinit/examples/arch/system-login.diff",
        "usr/share/licenses/pam_pykeyinit/LICENSE",
        "usr/share/man/man8/pam_pykeyinit.8.gz",
        "usr/share/zsh/site-functions/_pykeyinit-helper",
        ".INSTALL",
    ):
        assert (laid / name).is_file(), name
    assert not (laid / "lib").exists()
    assert f"/{packages}" in (laid / "usr/bin/pykeyinit-helper").read_text()


def test_nothing_in_it_names_where_it_was_built(laid: Path) -> None:
    for path in laid.rglob("*"):
        if path.is_file() and path.name not in (".BUILDINFO", ".MTREE"):
            assert b"/pkg/pam_pykeyinit" not in path.read_bytes(), path


def remove(laid: Path) -> str:
    """The output before pacman removes the package."""
    hook = (laid / ".INSTALL").read_text()
    done = subprocess.run(
        ["/bin/bash", "-c", f"{hook}\npre_remove"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr


def test_removal_says_who_would_be_locked_out(laid: Path, pam_d: Path) -> None:
    for line, warned in LINES:
        (pam_d / "somebodys").write_text(f"{line}\n")
        errors = remove(laid)
        assert ("Nobody can log in" in errors) == warned
        assert (line in errors) == warned


def test_removal_gives_back_what_enable_has_changed(laid: Path, pam_d: Path) -> None:
    login = pam_d / "login"
    before = login.read_bytes()
    subprocess.run([HELPER, "enable", "login"], check=True, capture_output=True)
    assert login.read_bytes() != before
    remove(laid)
    assert login.read_bytes() == before
