"""conf/: every PAM line applied to the real file of its distribution, and a session opened."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pykeyinit_helper import blocks, change, machine, place, rules, stack
from pykeyinit_helper.entries import Entry, Stack
from pykeyinit_helper.folders import Folders
from support import world
from support.drive import Driver

pytestmark = pytest.mark.privileged

CONF = world.ROOT / "conf"
STACKS = Path(__file__).with_name("stacks")
SYSTEMS = {
    "arch": ("arch",), "debian-12": ("debian",), "debian-13": ("debian-13", "debian"),
    "fedora": ("fedora",), "opensuse": ("opensuse",),
}  # fmt: skip


def differences(system: str) -> list[Path]:
    """Those of a distribution: where two folders have one for a service, the first counts."""
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
    """A distribution's files, to be changed; a vendor's services copied to where they can be."""
    root = Path(shutil.copytree(STACKS / request.param, tmp_path / "root", symlinks=True))
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
    if service == "system-login":  # not a service: it is what services include
        service = "sshd"
    outcome = driver.run(services, f"start 1 {service} alice\nopen 1\nclose 1\nend 1\n")
    assert outcome.codes() == [0, 0]
    opened = outcome.steps[1]
    kind, owner, _, _, name = opened.fields
    assert (kind, owner, name) == ("keyring", world.uid("alice"), "_ses")
    assert outcome.steps[2].keyrings[opened.session["serial"]] == "EKEYREVOKED"


@pytest.mark.parametrize(("path", "system"), DIFFERENCES, indirect=["system"])
def test_it_fits_a_file_with_other_blanks_and_comments(path: Path, system: Path) -> None:
    """As `patch -l`, which the difference names: releases differ in what does nothing."""
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
    """A distribution's services in the place of this machine's, with modules that it has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mounted = False

    def __call__(self, system: Path) -> Path:
        self._folder.mkdir()
        for path in (system / "etc/pam.d").iterdir():
            text = path.read_text()
            # All but the keyring modules are pam_permit.so: what they do is not at stake here,
            # where they stand and what they jump over is.
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


class ProfileTree:
    """A scratch tree for pam-auth-update, with Debian's profiles and ours."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("usr/share/pam-configs", "usr/share/pam"):
            shutil.copytree(Path("/") / folder, root / folder)
        for folder in ("etc/pam.d", "var/lib/pam"):
            (root / folder).mkdir(parents=True)
        shutil.copy(CONF / "debian/pykeyinit", root / "usr/share/pam-configs")
        self.update("--force", "--package")

    def update(self, *words: str) -> None:
        command = ["/usr/sbin/pam-auth-update", "--root", str(self.root), *words]
        path = {"PATH": "/usr/sbin:/usr/bin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, env=path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def session(self) -> list[Entry]:
        return stack.read("common-session", machine.folders(self.root)).of("session")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[ProfileTree]:
    """With --root too, pam-auth-update keeps what was asked for in this machine's debconf."""
    if not Path("/usr/sbin/pam-auth-update").exists():
        world.skip("pam-auth-update is Debian's")
    answers = Path("/var/cache/debconf")
    mine = shutil.copytree(answers, tmp_path / "debconf")
    subprocess.run(["mount", "--bind", mine, answers], check=True)
    yield ProfileTree(tmp_path / "root")
    subprocess.run(["umount", answers], check=True)


def ours(tree: ProfileTree) -> list[tuple[str, tuple[str, ...]]]:
    return [(e.control, e.arguments) for e in tree.session() if machine.is_ours(e)]


LINE = ("success=ok new_authtok_reqd=ok default=ignore", ("revoke",))


def test_the_profile_comes_and_goes(tree: ProfileTree) -> None:
    """Not by itself; once asked for, it stays through updates; removed, nothing is left."""
    assert ours(tree) == []
    plain = (tree.root / "etc/pam.d/common-session").read_text()
    tree.update("--enable", "pykeyinit")
    assert ours(tree) == [LINE]
    rendered = (tree.root / "etc/pam.d/common-session").read_text()
    tree.update("--package")
    assert (tree.root / "etc/pam.d/common-session").read_text() == rendered
    tree.update("--package", "--remove", "pykeyinit")
    assert (tree.root / "etc/pam.d/common-session").read_text() == plain


def test_the_profile_beside_another_that_makes_sessions(tree: ProfileTree) -> None:
    """Two profiles with one control and one module would get each other's options."""
    (tree.root / "usr/share/pam-configs/other").write_text(
        "Name: other\nDefault: yes\nPriority: 128\nSession-Type: Additional\n"
        "Session:\n\toptional\tpam_pykeyinit.so debug\n"
    )
    tree.update("--package")
    tree.update("--enable", "pykeyinit")
    assert sorted(ours(tree)) == sorted([("optional", ("debug",)), LINE])


def test_the_profile_leaves_services_that_have_a_keyring_alone(
    tree: ProfileTree, driver: Driver, as_pam_d: AsPamD
) -> None:
    """sshd keeps pam_keyinit's; a service with none gets ours; `check` has nothing to say."""
    tree.update("--enable", "pykeyinit")
    for name in ("sshd", "cron"):
        shutil.copy(STACKS / "debian-12/etc/pam.d" / name, tree.root / "etc/pam.d")
    assert judged(machine.folders(tree.root), "sshd") == set()
    services = as_pam_d(tree.root)
    for name in ("sshd", "other"):
        (services / "other").write_text("@include common-session\n")
        outcome = driver.run(services, f"start 1 {name} alice\nopen 1\nclose 1\nend 1\n")
        assert outcome.codes() == [0, 0]
        assert outcome.steps[1].fields[1] == world.uid("alice")
        assert list(outcome.steps[2].keyrings.values()).count("EKEYREVOKED") == 1
