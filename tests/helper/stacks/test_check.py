"""`pykeyinit-helper check`: the command, and its findings about a machine."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from helper.conftest import HELPER
from support import native, world
from support.pam_folder import DISTRIBUTIONS

pytestmark = pytest.mark.privileged


def run(*words: "str | Path") -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HELPER, "check", *words], capture_output=True, text=True)


def rules_of(*words: "str | Path") -> list[str]:
    done = run("--json", *words)
    assert done.stderr == ""
    return [finding["rule"] for finding in json.loads(done.stdout)["findings"]]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The root of another system: Debian's stacks, with our module as it is installed here."""
    root = tmp_path / "root"
    shutil.copytree(DISTRIBUTIONS / "debian-12", root)
    services = root / "etc/pam.d"
    for name in ("atd", "cron", "lightdm", "sudo-i", "vsftpd", "xrdp-sesman"):
        (services / name).unlink()
    sshd = (services / "sshd").read_text()
    (services / "sshd").write_text(sshd.replace("pam_keyinit.so", "pam_pykeyinit.so"))
    for path in (native.module(), native.interpreter(), *native.package().glob("*.py")):
        copied = root / str(path)[1:]
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path.resolve(), copied)
    for part in (root, *root.rglob("*")):
        part.chmod(0o755 if part.is_dir() else 0o644)
    tmp_path.chmod(0o777)  # above the root: not a part of the other system
    return root


def test_nothing_to_mend(system: Path) -> None:
    done = run("--root", system)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("services: nothing to mend\n")
    assert rules_of("--root", system) == []


def test_findings_for_people_and_for_programs() -> None:
    done = run("--root", DISTRIBUTIONS / "fedora")
    assert (done.returncode, done.stderr) == (1, "")
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == (
        "/etc/pam.d/vsftpd:1: vsftpd: early",
        "19 services: 1 finding, the worst first",
    )
    assert (
        f"    mend: in {DISTRIBUTIONS / 'fedora'}: sed -i --follow-symlinks -e 1d "
        "-e '6a session optional pam_keyinit.so force revoke' /etc/pam.d/vsftpd\n"
    ) in done.stdout
    reported = json.loads(run("--root", DISTRIBUTIONS / "fedora", "--json").stdout)
    assert reported["schema"] == 1
    known = {"rule", "services", "file", "line", "what", "mend", "note"}
    assert set(reported["findings"][0]) == known
    assert set(reported) == {"schema", "root", "services", "findings", "ignored", "unseen"}
    assert "sshd" in reported["services"]


@pytest.mark.parametrize("distribution", ["debian-12", "debian-13"])
def test_a_debian_as_it_is_installed_has_notes_alone(distribution: str) -> None:
    done = run("--root", DISTRIBUTIONS / distribution)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" services: nothing to mend; 1 note\n")
    findings = json.loads(run("--json", "--root", DISTRIBUTIONS / distribution).stdout)["findings"]
    assert [(each["rule"], each["note"]) for each in findings] == [("without", True)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--root", "/nowhere/at/all"], "no such folder"),
        (["--root", "/usr"], "is this a system?"),
        (["--nonsense"], "unrecognized arguments"),
        (["sshd"], "unrecognized arguments"),
        (["--root"], "expected one argument"),
    ],
)
def test_what_cannot_be_read_is_2(words: list[str], says: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


def test_this_machine() -> None:
    """It can read its own services, quotas and keyctl, also as an ordinary user."""
    done = run("--json")
    assert done.returncode in (0, 1), done.stderr
    assert "su" in json.loads(done.stdout)["services"]
    as_user = ["setpriv", "--reuid=dave", "--regid=dave", "--clear-groups", HELPER, "check"]
    assert subprocess.run(as_user, capture_output=True).returncode in (0, 1)


@pytest.mark.parametrize("file", [native.module(), native.interpreter()], ids=lambda f: f.name)
def test_a_module_that_is_not_there(file: Path, system: Path) -> None:
    (system / str(file)[1:]).unlink()
    assert rules_of("--root", system) == ["absent"]


@pytest.mark.parametrize("who", ["others", "group", "owner"])
@pytest.mark.parametrize(
    "what", ["the module", "its Python", "a folder above", "a service", "all services"]
)
def test_what_others_than_root_can_change(system: Path, who: str, what: str) -> None:
    path = {
        "the module": system / str(native.module())[1:],
        "its Python": system / str(native.interpreter())[1:],
        "a folder above": system / str(native.module().parent.parent)[1:],
        "a service": system / "etc/pam.d/sshd",
        "all services": system / "etc/pam.d",
    }[what]
    if who == "others":
        path.chmod(path.stat().st_mode | stat.S_IWOTH)
    elif who == "group":
        path.chmod(path.stat().st_mode | stat.S_IWGRP)  # of group 0, or by an ACL, acl(5)
    else:
        os.chown(path, world.uid("dave"), 0)
    found = json.loads(run("--root", system, "--json").stdout)["findings"]
    assert [(f["rule"], f["file"]) for f in found] == [
        ("writable", "/" + str(path.relative_to(system)))
    ]


def test_a_folder_that_is_everybodys_on_purpose_stays_so(system: Path) -> None:
    """/tmp without its mode is a machine that does not work."""
    path = system / str(native.module().parent.parent)[1:]
    path.chmod(0o1777)
    (found,) = json.loads(run("--root", system, "--json").stdout)["findings"]
    assert (found["rule"], found["file"]) == ("writable", "/" + str(path.relative_to(system)))
    assert "chmod" not in found["mend"]
    assert found["mend"].startswith("by hand: ")


def test_what_the_script_of_pam_python_imports(system: Path) -> None:
    sshd = system / "etc/pam.d/sshd"
    line = "pam_python.so pam_pykeyinit.py"
    sshd.write_text(sshd.read_text().replace("pam_pykeyinit.so", line))
    security = system / "lib/security"
    security.mkdir(parents=True)
    places = (Path("/lib/security"), native.module().parent)  # pam_python.so of Debian 12, 13
    for name in ("pam_python.so", "pam_pykeyinit.py"):
        (found,) = (place / name for place in places if (place / name).exists())
        shutil.copyfile(found, security / name)
    assert rules_of("--root", system) == []
    (security / "pam_pykeyinit.py").chmod(0o666)
    assert rules_of("--root", system) == ["writable"]
    (security / "pam_pykeyinit.py").chmod(0o644)
    (system / str(native.package())[1:] / "session.py").chmod(0o666)
    assert rules_of("--root", system) == ["writable"]


def test_a_set_user_id_program(system: Path) -> None:
    su = system / "usr/bin/su"
    su.parent.mkdir(parents=True, exist_ok=True)
    su.write_text("")
    service = system / "etc/pam.d/su"
    service.write_text("session optional pam_python.so other.py\n" + service.read_text())
    assert rules_of("--root", system) == []
    su.chmod(0o4755)
    assert rules_of("--root", system) == ["pam-python-in-set-user-id"]


def test_units_and_their_drop_ins(system: Path) -> None:
    sshd = system / "etc/pam.d/sshd"
    sshd.write_text(sshd.read_text().replace("force revoke", "revoke"))
    assert rules_of("--root", system) == []
    unit = system / "usr/lib/systemd/system/ssh.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]\nAfter=a\nAfter=b\n[Service]\nExecStart=/usr/sbin/sshd -D\n")
    assert rules_of("--root", system) == ["keyring-mode"]
    drop_in = system / "etc/systemd/system/ssh.service.d/keyring.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nKeyringMode=inherit\n")
    assert rules_of("--root", system) == []


def test_links_are_followed_inside_of_the_root(system: Path) -> None:
    """An absolute link of the other system does not lead to this machine's files."""
    common = system / "etc/pam.d/common-session"
    common.rename(system / "etc/generated")
    common.symlink_to("/etc/generated")
    assert rules_of("--root", system) == []
    common.unlink()
    common.symlink_to("/etc/passwd")  # which exists here, and not there
    assert "unreadable" in rules_of("--root", system)
    common.unlink()
    common.symlink_to("common-session")
    assert "unreadable" in rules_of("--root", system)
