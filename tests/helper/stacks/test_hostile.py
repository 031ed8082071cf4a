"""`check --root DIR` of an untrusted folder: it ends, and stays inside."""

import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from helper.conftest import HELPER
from support.pam_folder import DEBIAN

pytestmark = pytest.mark.privileged

MEMORY = 512 * 1024 * 1024
SECRET = "root:x:0:0:the-secret-of-this-test"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small system, in a folder next to a file that check must not read."""
    root = tmp_path / "root"
    shutil.copytree(DEBIAN, root / "etc/pam.d")
    for folder in ("lib/security", "etc/systemd/system", "etc/ssh", "usr/bin"):
        (root / folder).mkdir(parents=True)
    (root / "etc/pam.d/sshd").write_text("session optional pam_pykeyinit.so force\n")
    (tmp_path / "secret").write_text(SECRET)
    return root


def looked_at(root: Path) -> "subprocess.CompletedProcess[str]":
    """The output of check, with little memory; SIGALRM ends it if it hangs."""

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(120)

    done = subprocess.run(
        [HELPER, "check", "--json", "--root", root],
        capture_output=True,
        text=True,
        preexec_fn=limits,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in (0, 1, 2), (done.returncode, done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    if done.returncode == 2:
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    return done


def fifo(path: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def device(path: Path) -> None:
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


def folder(path: Path) -> None:
    path.mkdir()


def secret(path: Path) -> None:
    depth = len(path.parts)
    path.symlink_to("../" * depth + str(path.parents[4] / "secret")[1:])


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def nested(path: Path) -> None:
    path.write_bytes(b"[" * 20_000 + b"\n" + b"/" * 50_000 + b" " * 5000 + b"=\n")


PLACES = [
    "etc/pam.d/sshd",
    "etc/pam.d/common-session",
    "etc/systemd/system/ssh.service",
    "etc/systemd/system/ssh.service.d/x.conf",
    "etc/ssh/sshd_config",
    "lib/libpam.so.0",
    "lib/security/pam_pykeyinit.so",
    "lib/security/pam_pykeyinit.py",
    "usr/bin/su",
    "etc/pykeyinit-helper/ignore",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "make", [fifo, zeros, device, sparse, folder, secret, circle, nested], ids=lambda m: m.__name__
)
def test_a_file_that_is_none(make: Callable[[Path], None], place: str, tree: Path) -> None:
    path = tree / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    if place.endswith(".py"):
        (tree / "etc/pam.d/su").write_text("session optional pam_python.so pam_pykeyinit.py\n")
    done = looked_at(tree)
    if place == "etc/pam.d/sshd" and make in (fifo, device, sparse):
        (found,) = (
            each for each in json.loads(done.stdout)["findings"] if each["rule"] == "unreadable"
        )
        assert (found["file"], found["services"]) == ("/etc/pam.d/sshd", ["sshd"])


@pytest.mark.parametrize("linked", ["etc", "etc/pam.d", "lib", "usr/bin", "etc/systemd/system"])
def test_a_folder_that_leads_out(linked: str, tree: Path) -> None:
    """Links are followed inside: an absolute one starts at DIR, `..` stops at DIR."""
    outside = tree.parent / "outside"
    (outside / "pam.d").mkdir(parents=True)
    for each in (outside, outside / "pam.d"):
        (each / "leaked").write_text("session required pam_pykeyinit.so\n")
        (each / "leaked.service").write_text("[Service]\nExecStart=pykeyinit-helper run x\n")
    for target in (str(outside), "../../../../../.." + str(outside)):
        path = tree / linked
        shutil.rmtree(path) if not path.is_symlink() else path.unlink()
        path.symlink_to(target)
        assert "leaked" not in looked_at(tree).stdout


def test_includes_that_grow(tree: Path) -> None:
    services = tree / "etc/pam.d"
    for number in range(14):
        (services / f"b{number}").write_text(f"session include b{number + 1}\n" * 4)
    (services / "b14").write_text("session required pam_unix.so\n")
    findings = json.loads(looked_at(tree).stdout)["findings"]
    reported = [each for each in findings if "more than 500 lines" in each["what"]]
    assert "b0" in [name for each in reported for name in each["services"]]


def test_many_services_and_many_jumps(tree: Path) -> None:
    services = tree / "etc/pam.d"
    codes = "success open_err symbol_err service_err system_err buf_err perm_denied auth_err"
    jumps = " ".join(f"{code}={200 + at}" for at, code in enumerate(codes.split()))
    line = f"session [{jumps} default=ignore] pam_pykeyinit.so force\n"
    for number in range(10):
        (services / f"s{number}").write_text(line * 499)
    looked_at(tree)
    for number in range(1200):
        (services / f"t{number}").write_text("")
    assert looked_at(tree).returncode == 2


def test_names_that_are_not_utf_8_and_steer_a_terminal(tree: Path) -> None:
    services = tree / "etc/pam.d"
    for name in (b"\xff\xfe", b"a\nb", b"\x1b[31m", b"'; id; '"):
        (services / os.fsdecode(name)).write_text("session required pam_pykeyinit.so forc\xe9\n")
    assert looked_at(tree).returncode == 1
    done = subprocess.run([HELPER, "check", "--root", tree], capture_output=True)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout
    assert b"\n b\n" not in done.stdout
