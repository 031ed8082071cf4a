"""build-aux/changelog.py: the parts of CHANGELOG.md for a release and for packages."""

import email.utils
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import world

SCRIPT = world.ROOT / "build-aux/changelog.py"
spec = importlib.util.spec_from_file_location("changelog", SCRIPT)
assert spec
assert spec.loader
changelog = importlib.util.module_from_spec(spec)
sys.modules["changelog"] = changelog
spec.loader.exec_module(changelog)

GOOD = """# Changelog

## 1.1.0 (2026-11-23)

- A thing that needs
  two lines.
- Another.

## 1.0.0 (2026-01-02)

- The first.
"""


def test_notes_are_read() -> None:
    new, old = changelog.parse(GOOD)
    assert (new.version, new.notes) == ("1.1.0", ["A thing that needs two lines.", "Another."])
    assert (old.version, old.epoch) == ("1.0.0", 1767312000)


@pytest.mark.parametrize(
    ("good", "bad", "reported"),
    [
        ("## 1.1.0 (2026-11-23)\n", "", "the newest notes are for 1.0.0"),
        ("1.1.0 (2026-11-23)", "1.1.0 (not released)", "put the day of the release"),
        ("- A thing that needs\n  two lines.\n- Another.\n", "", "has no notes"),
        ("(2026-11-23)", "", "is not '## 1.2.3 (2026-11-23)'"),
        (GOOD, "# Changelog\n", "has no release"),
    ],
)
def test_a_release_without_notes_fails(tmp_path: Path, good: str, bad: str, reported: str) -> None:
    shutil.copytree(world.ROOT / "build-aux", tmp_path / "build-aux")
    (tmp_path / "pam_pykeyinit").mkdir()
    (tmp_path / "pam_pykeyinit/__init__.py").write_text('__version__ = "1.1.0"\n')
    assert good in GOOD
    outcomes = []
    for text in (GOOD, GOOD.replace(good, bad)):
        (tmp_path / "CHANGELOG.md").write_text(text)
        checked = subprocess.run(
            ["/usr/bin/python3", "-I", tmp_path / "build-aux/changelog.py", "release"],
            capture_output=True,
            text=True,
            check=False,
        )
        outcomes.append((checked.returncode, checked.stderr))
    assert outcomes[0] == (0, "")
    assert outcomes[1][0] == 1
    assert reported in outcomes[1][1]


def test_this_trees_change_log_is_about_this_version() -> None:
    newest = changelog.parse((world.ROOT / "CHANGELOG.md").read_text())[0]
    assert newest.version == changelog.package_version()
    assert newest.notes


def test_the_packages_change_log() -> None:
    text = GOOD.replace("2026-11-23", "not released")
    written = changelog.debian(changelog.parse(text), "+deb12", "A <a@b.invalid>", 86400)
    assert written == (
        "pam-pykeyinit (1.1.0~dev+deb12) UNRELEASED; urgency=medium\n\n"
        "  * What is new in this release is in CHANGELOG.md.\n\n"
        " -- A <a@b.invalid>  Fri, 02 Jan 1970 00:00:00 +0000\n"
        "\n"
        "pam-pykeyinit (1.0.0+deb12) unstable; urgency=medium\n\n"
        "  * What is new in this release is in CHANGELOG.md.\n\n"
        " -- A <a@b.invalid>  Fri, 02 Jan 2026 00:00:00 +0000\n"
    )


def test_what_never_came_out_has_no_entry() -> None:
    text = GOOD.replace("2026-01-02", "not released")
    written = changelog.debian(changelog.parse(text), "", "A <a@b.invalid>", 86400)
    assert written.count("\n -- ") == 1
    assert written.startswith("pam-pykeyinit (1.1.0) unstable")


def test_the_change_log_in_debian_is_of_this_change_log() -> None:
    """`build-aux/changelog.py debian "" "$(date +%s)" >debian/changelog` makes it."""
    releases = changelog.parse((world.ROOT / "CHANGELOG.md").read_text())
    there = (world.ROOT / "debian/changelog").read_text()
    (maintainer,) = changelog.MAINTAINER.findall((world.ROOT / "debian/control").read_text())
    # The date of an unreleased version is the day of its build.
    (day,) = re.findall(r"  (\w{3}, .*)$", there.split("\n\npam-")[0], re.MULTILINE)
    now = int(email.utils.parsedate_to_datetime(day).timestamp())
    assert there == changelog.debian(releases, "", maintainer, now)
