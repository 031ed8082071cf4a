"""The programs of the machines, as far as they decide something."""

import subprocess
from pathlib import Path

import checks
import journal
import keyrings
import pytest
import stacks

from harness import architectures, fast, machine

GUEST = Path(stacks.__file__).parent

SCRIPTS = [
    "init", "probe.sh", "prepare.sh", "askpass", "../root.sh", "../foreign.sh", "unit.sh",
    "display.sh", "xserver", "selinux.sh",
]  # fmt: skip
SSHD = """\
@include common-auth
session    required     pam_loginuid.so
session    optional     pam_keyinit.so force revoke
@include common-session
"""
CRON = """\
@include common-auth
session       required   pam_loginuid.so
@include common-session-noninteractive
"""


def test_pam_keyinits_line_becomes_ours_with_its_options() -> None:
    text = stacks.with_line("sshd", SSHD, "native")
    assert "\nsession    optional     pam_pykeyinit.so force revoke\n" in text
    assert "pam_keyinit" not in text
    text = stacks.with_line("sshd", SSHD, "pam_python")
    assert "optional     pam_python.so pam_pykeyinit.py force revoke\n" in text
    assert stacks.with_line("sshd", SSHD, "pam_keyinit") == SSHD


def test_a_service_without_the_line_gets_one_before_the_other_session_lines() -> None:
    text = stacks.with_line("cron", CRON, "native")
    assert text.splitlines()[1] == "session optional pam_pykeyinit.so force revoke"
    assert [line for line in text.splitlines() if "pykeyinit" not in line] == CRON.splitlines()


@pytest.mark.parametrize("service", stacks.SET_USER_ID)
def test_pam_python_is_kept_out_of_set_user_id_programs(service: str) -> None:
    assert stacks.with_line(service, SSHD, "pam_python") == SSHD


def test_what_a_probe_wrote() -> None:
    seen = keyrings.parse(
        "Uid: 2001 2001 2001 2001\nGid: 2101 2101 2101 2101\nhome /home/alice\n"
        "show Session Keyring\n"
        "show  175802804 --alswrv   2001  2101  keyring: _ses\n"
        "show  607452431 --alswrv   2001 65534   \\_ keyring: _uid.2001\n"
        "show  612345678 --alswrv   2001  2101       \\_ user: mail: home\n"
        "session keyring;2001;2101;3f030000;_ses\nrequest no: Required key not available\n"
    )
    assert seen["uid"] == [2001] * 4
    assert seen["serial"] == 175802804
    assert seen["links"] == ["keyring: _uid.2001 of 2001", "user: mail: home of 2001"]
    assert seen["session"] == "keyring;2001;2101;3f030000;_ses"
    assert seen["request"] == "no: Required key not available"


def test_lines_that_tell_of_modules() -> None:
    lines = [
        "sshd[1]: Accepted publickey for alice",
        "sshd[1]: PAM unable to dlopen(pam_pykeyinit.so): no such file",
        "login[2]: pam_pykeyinit(login:session): cannot use Python: x",
    ]
    assert journal.telling(lines) == lines[1:]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_shell(script: str) -> None:
    subprocess.run(["sh", "-n", GUEST / script], check=True)


def test_kvm_is_found_out_by_trying() -> None:
    """A file that is not a kernel never boots, whatever /dev/kvm is."""
    for overruled, answer in (("", "tcg"), ("kvm", "kvm")):
        done = subprocess.run(
            [GUEST / "../kvm.sh", "/bin/true"],
            env={"PATH": "/usr/bin:/bin", "VM_ACCEL": overruled},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == answer


def test_the_vendors_stacks_get_the_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd-user is the vendor's: the file that overrides it is removed again."""
    for name in ("PAM", "VENDOR", "PRISTINE"):
        monkeypatch.setattr(stacks, name, tmp_path / name)
    for name in ("PAM", "VENDOR"):
        (tmp_path / name).mkdir()
    (tmp_path / "PAM/sshd").write_text(SSHD)
    (tmp_path / "VENDOR/sshd").write_text("of the vendor\n")
    (tmp_path / "VENDOR/systemd-user").write_text(
        "session  optional pam_keyinit.so force revoke\n"
    )
    for loader, module in stacks.LOADERS.items():
        stacks.install(loader)
        texts = {file.name: file.read_text() for file in (tmp_path / "PAM").iterdir()}
        assert f"{module} force revoke\n" in texts.pop("sshd")
        assert f"{module} force revoke\n" in texts.pop("systemd-run0")
        if loader != "pam_keyinit":
            assert texts.pop("systemd-user") == f"session  optional {module} force revoke\n"
        assert texts == {}
    stacks.restore()
    assert [file.name for file in (tmp_path / "PAM").iterdir()] == ["sshd"]
    assert (tmp_path / "PAM/sshd").read_text() == SSHD


@pytest.mark.privileged
def test_keyctl_is_denied_and_nothing_else() -> None:
    deny = (GUEST / "deny.py", "EPERM")
    told = subprocess.run([*deny, "keyctl", "show", "@u"], capture_output=True, text=True)
    assert (told.returncode, "Operation not permitted" in told.stderr) == (1, True)
    subprocess.run([*deny, "keyctl", "--version"], check=True)


def test_a_script_of_the_tests_has_more_time_there_but_less_than_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulated machine on a busy host needs more than a minute for hundreds of logins."""
    world = tmp_path / "tree/build-aux/world.sh"
    world.parent.mkdir(parents=True)
    world.write_text("#!/bin/sh\necho $PAMDRIVE_PATIENCE\necho 1 passed\n")
    world.chmod(0o755)
    monkeypatch.setattr(checks, "HERE", tmp_path)
    told: list[str] = []
    assert checks.tests(told.append)["summary"] == "1 passed"
    foreign = fast.Run(architectures.on("s390x", "trixie"), [], 0, whole=True)
    assert 60 < float(told[0]) < machine.patience(foreign.kept.plan)
