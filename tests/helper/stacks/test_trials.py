"""`check` opens a session through our module as it is installed, and reports the result."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER
from helper.stacks.asked import PATH, found, rules_of, run
from support import native, world
from support.journal import Journal

pytestmark = pytest.mark.privileged

OURS = "session optional pam_pykeyinit.so force revoke\n"
SCRIPT = "session optional pam_python.so pam_pykeyinit.py force revoke\n"


@pytest.fixture(autouse=True)
def services(machine: Path) -> Path:
    """Two services with our line."""
    for name in ("sshd", "su-l"):
        (machine / name).write_text(OURS)
    return machine


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    """A replacement file for our module, to be changed."""
    mine = tmp_path / "module"
    shutil.copy(native.module(), mine)
    subprocess.run(["mount", "--bind", mine, native.module()], check=True)
    yield mine
    subprocess.run(["umount", native.module()], check=True)


def become(module: Path, mode: int) -> None:
    """Replace the content of the file by another module: see nothing.c."""
    built, source = module.with_suffix(".so"), Path(__file__).with_name("nothing.c")
    build = ["gcc", "-Wall", f"-DMODE={mode}", "-shared", "-fPIC", "-o", str(built), str(source)]
    subprocess.run(build, check=True)
    module.write_bytes(built.read_bytes())  # the mounted file, not another one of the same name


def test_all_is_well(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is left, no file and no log line."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    before = folder.stat().st_mtime_ns
    monkeypatch.setenv("TMPDIR", str(folder))
    assert found() == []
    assert folder.stat().st_mtime_ns > before, "another folder was used"
    assert list(folder.iterdir()) == []
    assert journal.ours() == []


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (0, "every call succeeds, and there is no new session keyring"),
        (1, "its session keyring is not revoked when it is closed"),
        (2, "the process that opens it is killed by signal 6"),
        (3, "open_session gives 14"),
    ],
)
def test_a_module_that_does_not_work(mode: int, says: str, module: Path) -> None:
    become(module, mode)
    (finding,) = found()
    assert (finding["rule"], finding["services"]) == ("broken", ["sshd", "su-l"])
    assert finding["what"] == f"a trial session with pam_pykeyinit.so alone: {says}" or (
        mode == 3 and says in finding["what"]
    )


def test_a_module_that_waits(module: Path) -> None:
    """It is ended, because monitoring must not hang."""
    become(module, 4)
    (finding,) = found()
    assert "has not ended in 10 seconds" in finding["what"]


@pytest.mark.parametrize("content", [b"", b"no library\n"])
def test_a_file_that_is_no_module(content: bytes, module: Path) -> None:
    module.write_bytes(content)
    (finding,) = found()
    assert finding["rule"] == "broken"
    assert "open_session gives " in finding["what"]


def test_what_others_may_write_is_loaded_all_the_same(module: Path) -> None:
    """Only this finding is reported."""
    module.chmod(0o666)
    os.chown(module, world.uid("alice"), 0)
    (finding,) = found()
    assert (finding["rule"], finding["file"]) == ("writable", os.path.realpath(native.module()))
    assert finding["what"] == (
        "it belongs to alice, and libpam loads it: anybody who may write it runs code in every "
        "login, as root"
    )


def test_a_script_that_cannot_be_run(services: Path, tmp_path: Path) -> None:
    """What pam_python.so imports is a file of the package, like the imports of the helper."""
    for name in ("sshd", "cron"):
        (services / name).write_text(SCRIPT)
    (services / "su-l").unlink()
    assert found() == []
    mine = native.copy(tmp_path / "package")
    (mine / "module.py").write_text("def broken(:\n")
    subprocess.run(["mount", "--bind", mine, native.package()], check=True)
    try:
        (finding,) = found()
    finally:
        subprocess.run(["umount", native.package()], check=True)
    assert (finding["rule"], finding["services"]) == ("broken", ["cron", "sshd"])
    assert finding["what"].startswith(
        "a trial session with pam_python.so pam_pykeyinit.py alone: open_session gives "
    )


@pytest.mark.parametrize("broken", ["gone", "log.py", "options.py", "kernel"])
def test_a_package_that_the_helper_cannot_use(broken: str, tmp_path: Path) -> None:
    """One line and status 2: no traceback, and no statement about logins."""
    mine = native.copy(tmp_path / "package")
    if broken == "gone":
        shutil.rmtree(mine)
        mine.mkdir()
    elif (mine / broken).is_file():
        (mine / broken).write_text("def broken(:\n")
    else:
        shutil.rmtree(mine / broken, ignore_errors=True)
        (mine / f"{broken}.py").write_text("raise ImportError('broken')\n")
    subprocess.run(["mount", "--bind", mine, native.package()], check=True)
    try:
        done = run()
    finally:
        subprocess.run(["umount", native.package()], check=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("pykeyinit-helper: its own files are missing or damaged: ")
    assert done.stderr.endswith("./setup install\n")


def as_user(*words: str) -> "subprocess.CompletedProcess[str]":
    become = ["setpriv", "--reuid=dave", "--regid=dave", "--clear-groups"]
    return subprocess.run(
        [*become, HELPER, "check", *words], capture_output=True, text=True, env={"PATH": PATH}
    )


def test_an_ordinary_user_gets_what_they_may_see(services: Path) -> None:
    (services / "su-l").write_text(OURS.replace("optional", "required"))
    done = as_user("--ignore", "quota")
    assert (done.returncode, "su-l: strict\n" in done.stdout) == (1, True)
    line = "pykeyinit-helper: not checked, which needs root: a trial session\n"
    assert done.stderr == line
    (services / "sshd").chmod(0o600)
    done = as_user("--ignore", "quota")
    assert (done.returncode, "su-l: strict\n" in done.stdout) == (1, True)
    assert done.stderr == line.replace(": a trial", ": /etc/pam.d/sshd, a trial")
    (services / "su-l").write_text(OURS)
    assert as_user("--ignore", "quota").returncode == 0


def test_an_ordinary_user_who_may_see_nothing(services: Path) -> None:
    for mode in (0o700, 0o744):  # in the second the names are visible, and nothing else
        services.chmod(mode)
        done = as_user()
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith("pykeyinit-helper: this user cannot read: /etc/pam.d")


def test_what_an_included_file_that_is_not_to_be_seen_has(services: Path) -> None:
    """No finding for a service if a part of it is unreadable."""
    (services / "sshd").write_text("@include common-session\n" + OURS.replace("session", "auth"))
    (services / "other").write_text("auth required pam_deny.so\n")
    (services / "common-session").chmod(0o600)
    done = as_user("--ignore", "quota", "--json")
    assert "/etc/pam.d/common-session" in done.stdout
    assert rules_of(found()) == []
