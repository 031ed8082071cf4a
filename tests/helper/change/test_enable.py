"""`enable` and `disable`: real files, real sessions, and failures."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from helper.change import kills
from helper.conftest import HELPER
from support import native

pytestmark = pytest.mark.privileged

PAM_D, KEPT = Path("/etc/pam.d"), Path("/var/lib")
PERMIT = "auth required pam_permit.so\naccount required pam_permit.so\n"
THEIRS = "session required pam_permit.so\nsession  optional\tpam_keyinit.so force revoke\n"
UID = "session required pam_loginuid.so\n"


@pytest.fixture(autouse=True)
def _svc(pam_d: Path) -> None:
    (pam_d / "svc").write_text(PERMIT + THEIRS)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HELPER, *words], capture_output=True, text=True)


def keyring_in(service: str) -> str:
    """What `try` finds inside a session of alice."""
    return run("try", service, "alice").stdout.split("Inside")[1].split("After")[0]


def test_there_and_back() -> None:
    path, before = PAM_D / "svc", PERMIT + THEIRS
    path.chmod(0o640)
    os.setxattr(path, "user.mark", b"kept")
    done = run("enable", "SVC")
    assert (done.returncode, done.stderr) == (0, "")
    assert "-session  optional\tpam_keyinit.so force revoke\n" in done.stdout
    assert "+session optional pam_pykeyinit.so force revoke\n" in done.stdout
    assert done.stdout.endswith("SVC: enabled; what was there is kept as "
                                "/var/lib/pykeyinit-helper/pam.d/svc\n")  # fmt: skip
    assert (KEPT / "pykeyinit-helper/pam.d/svc").read_text() == before
    enabled = path.read_text()
    assert (path.stat().st_mode & 0o777, os.getxattr(path, "user.mark")) == (0o640, b"kept")
    assert "keyring: _ses" in keyring_in("svc")
    again = run("enable", "svc")
    assert (again.returncode, again.stdout) == (0, "svc: nothing to do, it is enabled\n")
    assert path.read_text() == enabled
    assert run("disable", "svc").returncode == 0
    assert (path.read_text(), path.stat().st_mode & 0o777) == (before, 0o640)
    off = run("disable", "svc")
    assert (off.returncode, off.stdout) == (0, "svc: nothing to do, it is disabled\n")
    assert not list(PAM_D.glob(".*"))


def test_it_is_our_module_that_makes_the_keyring() -> None:
    """Without pam_keyinit's line there was no keyring; now there is, and it is revoked."""
    (PAM_D / "svc").write_text(PERMIT + UID + "session required pam_permit.so\n")
    assert "keyring: _ses" not in keyring_in("svc")
    assert run("enable", "svc", "--user", "alice").returncode == 0
    assert "keyring: _ses" in keyring_in("svc")


def test_dry_run_is_for_everybody_and_changes_nothing() -> None:
    as_user = ["setpriv", "--reuid=dave", "--regid=dave", "--clear-groups", HELPER]
    done = subprocess.run([*as_user, "enable", "--dry-run", "svc"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "+session optional pam_pykeyinit.so force revoke\n" in done.stdout
    assert (PAM_D / "svc").read_text() == PERMIT + THEIRS
    refused = subprocess.run([*as_user, "enable", "svc"], capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "only root" in refused.stderr


def test_the_difference_can_be_applied_by_patch(tmp_path: Path) -> None:
    difference = run("enable", "--dry-run", "svc").stdout
    copy = Path(shutil.copy(PAM_D / "svc", tmp_path / "copy"))
    subprocess.run(["patch", "-s", copy], input=difference, text=True, check=True)
    assert run("enable", "svc").returncode == 0
    assert copy.read_text() == (PAM_D / "svc").read_text()


def test_a_module_that_does_not_load(tmp_path: Path) -> None:
    """`optional` hides the failure in a session, so `enable` also tries the line alone."""
    broken = tmp_path / "broken.so"
    broken.write_text("this is no library\n")
    subprocess.run(["mount", "--bind", broken, native.module()], check=True)
    try:
        done = run("enable", "svc")
    finally:
        subprocess.run(["umount", native.module()], check=True)
    assert done.returncode == 1
    assert "restored: pam_pykeyinit.so by itself: open_session gives 28" in done.stderr
    assert (PAM_D / "svc").read_text() == PERMIT + THEIRS


@pytest.mark.parametrize("client", ["none", "broken"])
def test_without_a_trial_session_nothing_is_changed(tmp_path: Path, client: str) -> None:
    """If pamela is missing or fails to import, there is no trial and so no result."""
    folder = tmp_path / "packages"
    folder.mkdir()
    if client == "broken":
        (folder / "pamela.py").write_text("import nothing_of_that_name\n")
    script = f"mount --bind {folder} /usr/lib/python3/dist-packages; exec {HELPER} enable svc"
    command = ["unshare", "-m", "--propagation", "unchanged", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, (PAM_D / "svc").read_text()) == (
        (2, PERMIT + THEIRS) if client == "none" else (1, PERMIT + THEIRS)
    )
    said = {
        "none": "apt-get install python3-keyutils python3-pamela",
        "broken": "could not be opened",
    }[client]
    assert said in done.stderr


def test_a_module_that_crashes(tmp_path: Path) -> None:
    crash = tmp_path / "crash.so"
    source = "int pam_sm_open_session(void *h) { (void)h; return *(volatile int *)0; }\n"
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(crash)]
    subprocess.run(command, input=source, text=True, check=True)
    subprocess.run(["mount", "--bind", crash, native.module()], check=True)
    try:
        done = run("enable", "svc")
    finally:
        subprocess.run(["umount", native.module()], check=True)
    assert (done.returncode, (PAM_D / "svc").read_text()) == (1, PERMIT + THEIRS)
    assert "crash gives 11" in done.stderr


def test_what_fails_only_in_its_place_is_put_back(tmp_path: Path) -> None:
    """A module that reads /etc/pam.d sees the new stack only after it is in place."""
    script = tmp_path / "look"
    script.write_text("#!/bin/sh\n! grep -q pykeyinit /etc/pam.d/svc\n")
    script.chmod(0o755)
    text = PERMIT + THEIRS + f"session required pam_exec.so {script}\n"
    (PAM_D / "svc").write_text(text)
    done = run("enable", "svc")
    assert done.returncode == 1
    assert "svc: restored: open_session gives 4" in done.stderr
    assert (PAM_D / "svc").read_text() == text
    assert list((KEPT / "pykeyinit-helper/pam.d").iterdir()) == []


def test_a_stack_that_fails_anyway_is_no_reason() -> None:
    (PAM_D / "svc").write_text(PERMIT + THEIRS + "session required pam_deny.so\n")
    assert run("enable", "svc").returncode == 0


def test_one_that_is_refused_does_not_stop_the_others() -> None:
    (PAM_D / "auth-only").write_text(PERMIT)
    done = run("enable", "auth-only", "svc", "../svc", "none-such")
    assert done.returncode == 1
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        "auth-only", "../svc", "none-such",
    ]  # fmt: skip
    assert "pam_pykeyinit.so" in (PAM_D / "svc").read_text()
    assert (PAM_D / "auth-only").read_text() == PERMIT


@pytest.mark.parametrize("words", [[], ["svc", "--user", "nobody-here"], ["--nonsense", "svc"]])
def test_wrong_usage(words: list[str]) -> None:
    for command in ("enable", "disable"):
        done = run(command, *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_the_vendors_file_is_copied_and_the_copy_goes_again(vendors: Path) -> None:
    shipped = vendors / "shipped"
    shipped.write_text(PERMIT + UID + "session required pam_permit.so")
    assert run("enable", "shipped").returncode == 0
    copy = PAM_D / "shipped"
    assert "pam_pykeyinit.so" in copy.read_text()
    assert "_ses" in keyring_in("shipped")
    edited = copy.read_text()
    assert run("disable", "shipped").returncode == 0
    assert not copy.exists()
    copy.write_text("# mine\n" + edited)
    assert run("enable", "--options", "force", "shipped").returncode == 0
    kept = KEPT / "pykeyinit-helper/pam.d/shipped"
    assert kept.read_text() == "# mine\n" + shipped.read_text()  # without the lines of `enable`
    assert run("disable", "shipped").returncode == 0
    assert copy.read_text() == "# mine\n" + shipped.read_text()
    assert not kept.exists()


def test_links(tmp_path: Path) -> None:
    elsewhere = tmp_path / "generated"
    elsewhere.write_text(PERMIT + THEIRS)
    (PAM_D / "linked").symlink_to(elsewhere)
    assert run("enable", "linked").returncode == 1
    assert elsewhere.read_text() == PERMIT + THEIRS
    (PAM_D / "beside").symlink_to("svc")
    done = run("enable", "beside")
    assert (done.returncode, (PAM_D / "svc").read_text()) == (1, PERMIT + THEIRS)
    assert "it is a link to /etc/pam.d/svc" in done.stderr


def test_another_at_work() -> None:
    state = KEPT / "pykeyinit-helper"
    assert run("enable", "svc").returncode == 0
    with (state / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("disable", "svc")
    assert done.returncode == 1
    assert "another pykeyinit-helper is running" in done.stderr


def test_a_lock_of_any_users_is_in_nobodys_way() -> None:
    for folder in (PAM_D, PAM_D / "svc", KEPT):
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = run("enable", "svc")
        os.close(descriptor)
        assert (done.returncode, done.stderr) == (0, "")
    state = KEPT / "pykeyinit-helper"
    assert [path.stat().st_mode & 0o077 for path in (state, state / "pam.d")] == [0, 0]


@pytest.mark.parametrize("command", ["enable", "disable"])
def test_killed_at_every_call_that_concerns_the_file(
    command: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """By default where `enable` changes something; with --long at every call with a path."""
    path, kept = PAM_D / "svc", KEPT / "pykeyinit-helper/pam.d"
    assert run("enable", "svc").returncode == 0
    enabled, before = path.read_text(), PERMIT + THEIRS
    start, end = (before, enabled) if command == "enable" else (enabled, before)
    path.write_text(start)
    paths = [PAM_D, path, path.with_name(".svc.pykeyinit-helper"), kept, kept / "svc"]
    words = [HELPER, command, "svc"]
    calls = kills.calls(words, paths, tmp_path / "log")
    assert path.read_text() == end
    if not pytestconfig.getoption("--long"):
        calls = [call for call in calls if call[0] in ("rename", "fsync")]
    ends = []
    for call in calls:
        path.write_text(start)
        if command == "disable":
            (kept / "svc").write_text(before)
        kills.kill_at(call, words, paths, tmp_path / "log")
        ends.append(path.read_text())
        assert ends[-1] in (before, enabled), call
        assert os.access(path, os.R_OK)
    assert set(ends) == {before, enabled}
    assert run("disable", "svc").returncode == 0
    assert path.read_text() == before
    assert run("enable", "svc").returncode == 0
    assert path.read_text() == enabled
    assert not list(PAM_D.glob(".*"))
