"""./setup uninstall on a machine that uses it: no lockout, and PAM is as before."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import pam_folder, world

BUILD_AUX = world.ROOT / "build-aux"  # ./setup reads the list of packages in /var/lib

pytestmark = pytest.mark.privileged

TEXT = (
    "auth required pam_permit.so\nsession required pam_loginuid.so\n"
    "session optional pam_keyinit.so force revoke\n"
)
BY_HAND = "session required pam_pykeyinit.so force\n"


def call(command: str, **variables: "str | Path") -> "subprocess.CompletedProcess[str]":
    environment = {name: str(value) for name, value in variables.items()}
    return subprocess.run(
        [BUILD_AUX / f"{command}.sh"],
        env={"PATH": "/usr/bin:/bin", **world.kept_build(), **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def pam_d(tmp_path: Path) -> Iterator[Path]:
    """/etc/pam.d and /var/lib of this test only."""
    with pam_folder.private(tmp_path) as folder:
        yield folder


@pytest.fixture
def prefix(opt: Path, pam_d: Path) -> Path:
    """The prefix of an installation, with sshd enabled."""
    assert call("install", PREFIX=opt).returncode == 0
    (pam_d / "sshd").write_text(TEXT)
    subprocess.run([opt / "bin/pykeyinit-helper", "enable", "sshd"], check=True)
    assert "#was: session optional pam_keyinit.so" in (pam_d / "sshd").read_text()
    return opt


def test_what_enable_took_is_given_back(prefix: Path, pam_d: Path) -> None:
    (pam_d / "mine").write_text(BY_HAND.replace("required", "optional"))
    done = call("uninstall", PREFIX=prefix)
    assert done.returncode == 0, done.stderr
    assert (pam_d / "sshd").read_text() == TEXT
    assert "/etc/pam.d/mine: session optional pam_pykeyinit.so" in done.stdout
    assert not (prefix / "bin/pykeyinit-helper").exists()
    assert not Path("/var/lib/pykeyinit-helper").exists()


def test_it_stays_where_people_would_be_locked_out(prefix: Path, pam_d: Path) -> None:
    """Before any change; and if `required` comes back with the restored line."""
    enabled = (pam_d / "sshd").read_text()
    (pam_d / "mine").write_text(BY_HAND)
    refused = call("uninstall", PREFIX=prefix)
    assert refused.returncode == 1
    assert "nobody could log in" in refused.stderr
    assert "/etc/pam.d/mine: session required" in refused.stderr
    assert (pam_d / "sshd").read_text() == enabled

    (pam_d / "mine").write_text(TEXT.replace(TEXT.splitlines(keepends=True)[2], BY_HAND))
    helper = prefix / "bin/pykeyinit-helper"
    subprocess.run([helper, "enable", "--options", "force", "mine"], check=True)
    assert "session optional pam_pykeyinit.so force" in (pam_d / "mine").read_text()
    refused = call("uninstall", PREFIX=prefix)
    assert (refused.returncode, helper.exists()) == (1, True)
    assert "/etc/pam.d/mine: session required" in refused.stderr


def half_the_package(prefix: Path) -> None:
    """A file of the module, which the helper also imports, is truncated."""
    (package_of(prefix) / "pam_pykeyinit/__init__.py").write_text("__version__ = (")


def no_helper(prefix: Path) -> None:
    """The helper's folder is gone."""
    shutil.rmtree(package_of(prefix) / "pykeyinit_helper")


def half_a_file(prefix: Path) -> None:
    """A file of the helper is truncated."""
    (package_of(prefix) / "pykeyinit_helper/cli/main.py").write_text("def main(")


def package_of(prefix: Path) -> Path:
    """The folder of Python's packages below it."""
    (found,) = prefix.rglob("pykeyinit_helper")
    return found.parent


@pytest.mark.parametrize("spoil", [half_the_package, no_helper, half_a_file])
def test_also_where_the_helper_itself_does_not_run(
    prefix: Path, pam_d: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """The old lines are between the comments of `enable`, and are restored from there."""
    texts = {"sshd": TEXT, "cut": TEXT.rstrip("\n"), "vendors": None, "mixed": TEXT}
    for name in ("cut", "mixed"):
        (pam_d / name).write_text(texts[name] or "")
        (pam_d / name).chmod(0o640)
    with pam_folder.vendors(tmp_path / "vendors") as vendors:
        (vendors / "vendors").write_text(TEXT)
        helper = prefix / "bin/pykeyinit-helper"
        subprocess.run([helper, "enable", "cut", "vendors", "mixed"], check=True)
        mixed = (pam_d / "mixed").read_text()
        mixed = mixed.replace("#was: ", "session optional pam_permit.so\n#was: ")
        (pam_d / "mixed").write_text(mixed)
        (pam_d / "sshd").write_text((pam_d / "sshd").read_text() + "# of somebody's\n")
        spoil(prefix)
        done = call("uninstall", PREFIX=prefix)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "/etc/pam.d/mixed: not changed" in done.stderr
        assert (pam_d / "sshd").read_text() == TEXT + "# of somebody's\n"
        assert (pam_d / "cut").read_text() == texts["cut"]
        assert (pam_d / "cut").stat().st_mode & 0o777 == 0o640
        assert not (pam_d / "vendors").exists()
        assert (pam_d / "mixed").read_text() == mixed
        assert [path.name for path in pam_d.glob(".*")] == []


def test_a_folder_that_is_not_this_machine_leaves_its_pam_alone(
    prefix: Path, pam_d: Path, tmp_path: Path
) -> None:
    enabled = (pam_d / "sshd").read_text()
    for command in ("install", "uninstall"):
        assert call(command, DESTDIR=tmp_path / "stage", PREFIX=prefix).returncode == 0
    assert (pam_d / "sshd").read_text() == enabled


def test_the_package_looks_for_the_same_lines_and_gives_back_alike() -> None:
    both = (BUILD_AUX / "pam-lines.sh").read_text().partition("lines() {")[2]
    (prerm,) = (world.ROOT / "debian").glob("*.prerm")
    assert both in prerm.read_text()
