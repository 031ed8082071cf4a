"""The Python inside the loader, and whether the system's is newer."""

import sys
from pathlib import Path

import pytest

from pykeyinit_helper.stacks import inside
from pykeyinit_helper.stacks.below import Below
from pykeyinit_helper.stacks.inside import Inside
from support import native

LIBRARY = "libpython3.11-minimal "
LINKED = Inside("3.11.2", "libpython3.11-dev", "3.11.2-6+deb12u6")


@pytest.mark.privileged
def test_the_loader_says_what_is_inside() -> None:
    found = inside.read(Below(), native.interpreter())
    assert found
    assert found.version.startswith(f"{native.VERSION}.")
    assert inside.newer(Below(), found) == ""


def test_a_file_that_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(b"\x7fELF" + b"\0" * 100_000)
    assert inside.read(Below(tmp_path), Path("/x.so")) is None


@pytest.mark.parametrize(
    ("status", "version", "newer"),
    [
        ("install ok installed", "3.11.2-6+deb12u7", "libpython3.11-minimal 3.11.2-6+deb12u7"),
        ("install ok installed", "3.11.2-6+deb12u6", ""),
        ("install ok installed", "3.11.2-6+deb12u5", ""),
        ("install ok installed", "3.11.2-6+deb12u10", "libpython3.11-minimal 3.11.2-6+deb12u10"),
        ("deinstall ok config-files", "3.11.2-6+deb12u7", ""),
    ],
)
def test_a_fix_of_the_distributions(status: str, version: str, newer: str, tmp_path: Path) -> None:
    """It changes the version of the package, and not that of Python."""
    file = tmp_path / "var/lib/dpkg/status"
    file.parent.mkdir(parents=True)
    other = "Package: other\nStatus: install ok installed\nVersion: 9\n\n"
    file.write_text(
        f"{other}Package: libpython3.11-minimal\nStatus: {status}\nVersion: {version}\n"
    )
    assert inside.newer(Below(tmp_path), LINKED) == newer


def test_what_is_set_for_dpkg_at_home_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """su and setpriv keep HOME: root's, which an ordinary user cannot read."""
    (tmp_path / ".dpkg.cfg").write_text("no-such-option\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    version = "3.11.2-6+deb12u7"
    test_a_fix_of_the_distributions("install ok installed", version, LIBRARY + version, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_where_there_is_no_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the versions of Python; for another system's folder no version is known."""
    monkeypatch.setattr(sys, "version_info", (3, 11, 10))
    old, same = Inside("3.11.9", "", ""), Inside("3.11.10", "", "")
    assert inside.newer(Below(), old) == "Python 3.11.10"
    assert inside.newer(Below(), same) == ""
    assert inside.newer(Below(), Inside("3.12.1", "", "")) == ""
    assert inside.newer(Below(tmp_path), old) == ""
