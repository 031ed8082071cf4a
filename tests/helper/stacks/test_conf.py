"""conf/: every PAM line applied to the real file of its distribution, and a session opened."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pykeyinit_helper.change import change, place
from pykeyinit_helper.stacks import blocks, machine, rules, stack
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.folders import Folders
from support import world
from support.drive import Driver
from support.pam_folder import DISTRIBUTIONS

pytestmark = pytest.mark.privileged

CONF = world.ROOT / "conf"
SYSTEMS = {
    "arch": ("arch",), "debian-12": ("debian",), "debian-13": ("debian-13", "debian"),
    "fedora": ("fedora",), "opensuse": ("opensuse",),
}  # fmt: skip


def differences(system: str) -> list[Path]:
    """The patches of a distribution: if two folders have one for a service, the first counts."""
    found: dict[str, Path] = {}
    for folder in reversed(SYSTEMS[system]):
        found |= {path.name: path for path in (CONF / folder).glob("*.diff")}
    return sorted(found.values())


DIFFERENCES = [
    pytest.param(path, system, id=f"{system}-{path.stem}")
    for system in SYSTEMS
    for path in differences(system)
]
SET_USER_ID = ("su-l", "sudo", "sudo-i")


@pytest.fixture
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A distribution's files, to be changed; the vendor's services are copied to be writable."""
    root = Path(shutil.copytree(DISTRIBUTIONS / request.param, tmp_path / "root", symlinks=True))
    for path in (root / "usr/lib/pam.d").glob("*"):
        if not (root / "etc/pam.d" / path.name).exists():
            shutil.copy(path, root / "etc/pam.d")
    return root


def judged(folders: Folders, service: str) -> set[str]:
    return {
        finding.rule
        for finding in rules.judge([stack.read(service, folders)], machine.Facts())
    }  # fmt: skip


@pytest.mark.parametrize(("path", "system"), DIFFERENCES, indirect=["system"])
def test_it_fits_is_what_enable_makes_and_works(
    path: Path, system: Path, driver: Driver, as_pam_d: "AsPamD"
) -> None:
    text, service = path.read_text(), path.stem
    reason = text.partition("--- a/")[0]
    assert f"# {service}, " in reason
    assert "Loader: pam_pykeyinit.so" in reason
    assert ("never pam_python.so" in reason) == (service in SET_USER_ID)
    folders = machine.folders(system)
    file = system / "etc/pam.d" / service
    was_found, before = judged(folders, service), file.read_text()
    vendors = (system / "usr/lib/pam.d" / service).exists()

    def read(text: str) -> Stack:
        return stack.read(service, change.Changed(folders, Path("/etc/pam.d", service), text))

    wanted = place.put_in(before, read, None, copied=vendors)
    patch = ["patch", "-s", "-p1", "-F0", "-d", str(system), "-i", str(path)]
    subprocess.run(patch, check=True, capture_output=True)
    assert file.read_text() == wanted
    assert blocks.take_out(wanted) == (before, vendors)
    assert judged(folders, service) <= was_found
    services = as_pam_d(system)
    if service == "system-login":  # not a service: services include it
        service = "sshd"
    outcome = driver.run(services, f"start 1 {service} alice\nopen 1\nclose 1\nend 1\n")
    assert outcome.codes() == [0, 0]
    opened = outcome.steps[1]
    kind, owner, _, _, name = opened.fields
    assert (kind, owner, name) == ("keyring", world.uid("alice"), "_ses")
    assert outcome.steps[2].keyrings[opened.session["serial"]] == "EKEYREVOKED"


@pytest.mark.parametrize(("path", "system"), DIFFERENCES, indirect=["system"])
def test_it_fits_a_file_with_other_blanks_and_comments(path: Path, system: Path) -> None:
    """As `patch -l`, which the patch names: releases differ in blanks and comments."""
    file = system / "etc/pam.d" / path.stem
    lines = file.read_text().splitlines(keepends=True)
    spaced = [re.sub("[ \t]+", "\t ", line) for line in lines]
    file.write_text("".join(["#%PAM-1.0\n", "# another comment\n", *spaced]))
    assert "# patch -l -p1 -d / <this file" in path.read_text()
    patch = ["patch", "-l", "-s", "-p1", "-d", str(system), "-i", str(path)]
    subprocess.run(patch, check=True, capture_output=True)
    read = stack.read(path.stem, machine.folders(system))
    assert [machine.is_ours(entry) for entry in read.of("session")].count(True) == 1
    assert not any(entry.name == "pam_keyinit.so" and entry.file.endswith(f"/{path.stem}")
                   for entry in read.of("session"))  # fmt: skip
    blocks.take_out(file.read_text())


class AsPamD:
    """A distribution's services in place of this machine's, with modules that it has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mounted = False

    def __call__(self, system: Path) -> Path:
        self._folder.mkdir()
        for path in (system / "etc/pam.d").iterdir():
            text = path.read_text()
            # All except the keyring modules are pam_permit.so: only their places and jumps are
            # tested here.
            text = re.sub(r"pam_(?!keyinit|pykeyinit)\w+\.so", "pam_permit.so", text)
            (self._folder / path.name).write_text(text)
        subprocess.run(["mount", "--bind", self._folder, "/etc/pam.d"], check=True)
        self.mounted = True
        return Path("/etc/pam.d")


@pytest.fixture
def as_pam_d(tmp_path: Path) -> Iterator[AsPamD]:
    made = AsPamD(tmp_path / "pam.d")
    yield made
    if made.mounted:
        subprocess.run(["umount", "/etc/pam.d"], check=True)
