"""The RPM, built by Debian's rpmbuild and installed into a scratch root; rpmlint's report."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from support import native, world

from .conftest import LINES, scratch

pytestmark = pytest.mark.privileged
FEDORA = world.ROOT / "packaging/fedora"
HELPER = "/usr/local/bin/pykeyinit-helper"


def _build() -> Path:
    if not shutil.which("rpmbuild"):
        world.skip("needs rpm")
    if not (world.ROOT / ".git").exists():
        pytest.skip("an RPM is made of a commit, and this tree is in no git repository")
    dist = scratch()
    command = [world.ROOT / "build-aux/rpm.sh"]
    env = {"PATH": "/usr/bin:/bin", "DIST": str(dist)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = dist.glob("*.rpm")
    return made


@pytest.fixture(scope="module")
def rpm() -> Path:
    """The RPM of the last commit."""
    return _build()


def preun(rpm: Path, left: str = "0") -> "subprocess.CompletedProcess[str]":
    """Run %preun as rpm does, with the number of remaining versions."""
    asked = ["rpm", "-qp", "--scripts", str(rpm)]
    text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    script = text.split("preuninstall scriptlet (using /bin/sh):\n")[1]
    return subprocess.run(
        ["/bin/sh", "-c", script, "-", left],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_built_twice_it_is_the_same(rpm: Path) -> None:
    again = _build()
    assert again != rpm
    sums = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (rpm, again)}
    assert len(sums) == 1


def test_files_are_where_fedora_has_them(rpm: Path, tmp_path: Path) -> None:
    install = ["rpm", "--root", str(tmp_path), "--nodeps", "--noscripts", "-i", str(rpm)]
    subprocess.run(install, check=True)
    laid = {
        f"/{path.relative_to(tmp_path)}".removesuffix(".gz")  # newer versions of rpm compress
        for path in (tmp_path / "usr").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    version = native.VERSION
    assert {
        "/usr/bin/pykeyinit-helper",
        "/usr/lib64/security/pam_pykeyinit.so",
        f"/usr/lib/python{version}/site-packages/pam_pykeyinit/module.py",
        f"/usr/lib/python{version}/site-packages/pykeyinit_helper/run/run.py",
        "/usr/share/fish/vendor_completions.d/pykeyinit-helper.fish",
        "/usr/share/man/man8/pam_pykeyinit.8",
        "/usr/share/zsh/site-functions/_pykeyinit-helper",
    } <= laid
    assert [path for path in laid if "/lib/security" in path] == []
    helper = tmp_path / "usr/bin/pykeyinit-helper"
    assert f"/usr/lib/python{version}/site-packages" in helper.read_text()


def test_it_stays_where_people_would_be_locked_out(rpm: Path, pam_d: Path) -> None:
    for line, deadly in LINES:
        (pam_d / "somebodys").write_text(f"{line}\n")
        done = preun(rpm)
        assert done.returncode == deadly, (line, done)
        assert (line in done.stdout) == deadly


def test_removal_gives_back_what_enable_has_changed(rpm: Path, pam_d: Path) -> None:
    login = pam_d / "login"
    before = login.read_bytes()
    subprocess.run([HELPER, "enable", "login"], check=True, capture_output=True)
    assert login.read_bytes() != before
    assert preun(rpm, "1").returncode == 0  # an upgrade
    assert login.read_bytes() != before
    assert preun(rpm).returncode == 0
    assert login.read_bytes() == before


def test_rpmlint_finds_nothing_that_is_not_explained(rpm: Path) -> None:
    if not shutil.which("rpmlint"):
        world.skip("needs rpmlint")
    settings = ("-c", str(FEDORA / "rpmlint.toml"))
    done = subprocess.run(
        ["/usr/bin/rpmlint", *settings, str(rpm), str(FEDORA / "pam_pykeyinit.spec")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert " 0 errors, 0 warnings" in done.stdout, done.stdout


def test_the_recipes_are_of_this_version() -> None:
    about = (world.ROOT / "pam_pykeyinit/__init__.py").read_text()
    version = about.split('__version__ = "')[1].split('"')[0]
    assert f"\nVersion:        {version}\n" in (FEDORA / "pam_pykeyinit.spec").read_text()
    assert f"\npkgver={version}\n" in (world.ROOT / "packaging/arch/PKGBUILD").read_text()
