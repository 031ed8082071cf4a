"""`enable` in each state of a service: it gets one keyring of ours, and this can be undone."""

import re
import subprocess
from pathlib import Path

import pytest

from helper.conftest import HELPER
from pykeyinit_helper.stacks import stack
from pykeyinit_helper.stacks.folders import Folders
from support.pam_folder import DEBIAN

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("pam_d")]

PAM_D, KEPT = Path("/etc/pam.d"), Path("/var/lib/pykeyinit-helper/pam.d")
PERMIT = "auth required pam_permit.so\naccount required pam_permit.so\n"
THEIRS = "session optional pam_keyinit.so force revoke\n"
OURS = "session optional pam_pykeyinit.so force revoke\n"
UID, OK = "session required pam_loginuid.so\n", "session required pam_permit.so\n"
BLOCK = (
    "# pykeyinit-helper: what enable put here\n#was: "
    + THEIRS
    + OURS
    + "# pykeyinit-helper: end; `pykeyinit-helper disable` puts back what was here\n"
)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HELPER, *words], capture_output=True, text=True)


def lines_at_work(service: str) -> list[str]:
    text = (PAM_D / service).read_text()
    return [line for line in text.splitlines() if "keyinit" in line and not line.startswith("#")]


def keyring_of(service: str) -> str:
    """The session keyring in a session of alice; the session created it, and it is gone after."""
    output = run("try", service, "alice").stdout
    inside, after = output.split("Inside")[1].split("After")
    made = re.search(r"(\d+) alice .*keyring: _ses", inside)
    assert made, output
    assert "revoked" in after
    return made[1]


def wrong(service: str) -> set[str]:
    """The findings of `check` about the lines of a service."""
    found = run("check").stdout
    heads = re.findall(r"^\S*: (.*): (\S+)$", found, re.MULTILINE)
    return {rule for services, rule in heads if service in services.split(", ")}


STATES = {
    "ours after theirs": UID + THEIRS + OURS + OK,
    "ours before theirs": UID + OURS + THEIRS + OK,
    "ours first of all": OURS + UID + THEIRS + OK,
    "ours last": UID + THEIRS + OK + OURS,
    "theirs twice": UID + THEIRS + THEIRS + OK,
    "no force": UID + OURS.replace("force ", "") + OK,
    "a module mistyped": UID + OURS.replace("pykeyinit", "pykeyint") + OK,
    "a module of pam_python's": UID + OURS.replace(".so", ".py") + OK,
    "a word mistyped": UID + OURS.replace("revoke", "revok") + OK,
    "two words mistyped": UID + OURS.replace("force revoke", "forced Revoke") + OK,
    "type account": UID + OURS.replace("session", "account") + OK,
    "required": UID + OURS.replace("optional", "required") + OK,
    "a control mistyped": UID + OURS.replace("optional", "opttonal") + OK,
    "pam_python and theirs": UID + THEIRS
    + OURS.replace("pam_pykeyinit.so", "pam_python.so pam_pykeyinit.py") + OK,
    "before pam_loginuid": THEIRS + UID + OK,
    "after what stores keys": UID + "-session optional pam_krb5.so\n" + OURS,
    "passed over": UID + "session sufficient pam_permit.so\n" + OURS,
    "in two lines": UID + "session optional \\\n  pam_keyinit.so force \\\n  revoke\n" + OURS + OK,
    "included, after theirs": UID + THEIRS + "session include ours\n" + OK,
    "included, after theirs, without force": UID + THEIRS + "session include mild\n" + OK,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_one_keyring_of_ours_comes_of_it(state: str) -> None:
    path, text = PAM_D / "sshd", PERMIT + STATES[state]
    path.write_text(text)
    (PAM_D / "ours").write_text(OURS)
    (PAM_D / "mild").write_text(OURS.replace("force ", ""))
    done = run("enable", "sshd")
    assert (done.returncode, done.stderr) == (0, ""), path.read_text()
    assert "nothing to do" not in done.stdout
    assert wrong("sshd") & {"twice", "late", "early", "strict", "unreadable"} == set()
    keyring_of("sshd")
    own = lines_at_work("sshd")
    assert own == ([] if state == "included, after theirs" else [OURS.rstrip()])
    assert KEPT.joinpath("sshd").read_text() == text
    again = run("enable", "sshd")
    assert (again.returncode, again.stdout) == (0, "sshd: nothing to do, it is enabled\n")
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == text
    assert not KEPT.joinpath("sshd").exists()


AUTH = "auth optional pam_pykeyinit.so force revoke\n"


@pytest.mark.parametrize(
    "auth",
    [
        "auth optional pam_keyinit.so force revoke\n" + PERMIT,
        "-auth optional pam_krb5.so minimum_uid=1000\n" + PERMIT,
        "auth include realm\n" + PERMIT,
        "auth requisite pam_permit.so\nauth substack realm\n" + PERMIT,
    ],
)
def test_what_stores_keys_at_setcred_finds_the_keyring_made(auth: str) -> None:
    """linux-pam#149: our auth line comes before it, or replaces pam_keyinit's."""
    path, text = PAM_D / "sshd", auth + UID + THEIRS + OK
    path.write_text(text)
    (PAM_D / "realm").write_text("-auth optional pam_krb5.so\n")
    done = run("enable", "sshd")
    assert (done.returncode, done.stderr) == (0, "")
    assert lines_at_work("sshd") == [AUTH.rstrip(), OURS.rstrip()]
    keyring_of("sshd")
    assert run("enable", "sshd").stdout == "sshd: nothing to do, it is enabled\n"
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == text


@pytest.mark.parametrize("theirs", ["", THEIRS])
def test_a_service_with_the_auth_lines_of_other(theirs: str) -> None:
    """An auth line of its own would replace them: the command in the message, pasted."""
    (PAM_D / "other").write_text("auth required pam_permit.so\n-auth optional pam_krb5.so\n")
    path, text = PAM_D / "sshd", "account required pam_permit.so\n" + UID + theirs + OK
    path.write_text(text)
    done = run("enable", "sshd")
    assert "pam_krb5.so works at setcred" in done.stderr
    command = "sed " + done.stderr.rstrip().partition(": sed ")[2].partition("\n")[0]
    assert command.endswith("/etc/pam.d/sshd && pykeyinit-helper enable sshd")
    where = {"PATH": f"{Path(HELPER).parent}:/usr/sbin:/usr/bin:/sbin:/bin"}
    pasted = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=where)
    assert (pasted.returncode, pasted.stderr) == (0, "")
    assert lines_at_work("sshd") == [AUTH.rstrip(), OURS.rstrip()]
    assert "setcred" not in wrong("sshd")
    modules = [entry.module for entry in stack.read("sshd", Folders()).of("auth")]
    assert modules == ["pam_pykeyinit.so", "pam_permit.so", "pam_krb5.so"]
    keyring_of("sshd")
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == "auth include other\n" + text


SPOILT = {
    "the line mistyped": BLOCK.replace("pykeyinit.so", "pykeyint.so"),
    "the line switched off": BLOCK.replace(OURS, "# " + OURS),
    "the line gone": BLOCK.replace(OURS, ""),
    "theirs at work again": BLOCK.replace("#was: ", ""),
    "theirs at work as well": BLOCK.replace(OURS, THEIRS + OURS),
    "a word mistyped": BLOCK.replace(OURS, OURS.replace("revoke", "revok")),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_block_that_was_spoilt(spoilt: str) -> None:
    """The oldest copy stays after each `enable`, and can be restored."""
    path, text = PAM_D / "sshd", PERMIT + UID + THEIRS + OK
    path.write_text(text)
    assert run("enable", "sshd").returncode == 0
    assert BLOCK in path.read_text()
    path.write_text(path.read_text().replace(BLOCK, SPOILT[spoilt]))
    done = run("enable", "sshd")
    assert (done.returncode, done.stderr) == (0, "")
    assert lines_at_work("sshd") == [OURS.rstrip()]
    assert KEPT.joinpath("sshd").read_text() == text
    keyring_of("sshd")
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == text


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_block_that_was_spoilt_is_undone_at_once(spoilt: str) -> None:
    path, text = PAM_D / "sshd", PERMIT + UID + THEIRS + OK
    path.write_text(text.replace(THEIRS, SPOILT[spoilt]))
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == text


def test_what_is_somebodys_own_in_a_block_is_kept_or_in_the_way() -> None:
    path, text = PAM_D / "sshd", PERMIT + UID + THEIRS + OK
    path.write_text(text.replace(THEIRS, BLOCK.replace(OURS, "# because of 4711\n" + OURS)))
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == text.replace(THEIRS, THEIRS + "# because of 4711\n")
    path.write_text(text)
    assert run("enable", "sshd").returncode == 0
    path.write_text(path.read_text().replace("# pykeyinit-helper: end", "# end"))
    refused = run("disable", "sshd")
    assert refused.returncode == 1
    command = refused.stderr.rstrip().rpartition("first copy: ")[2]
    assert command == "cp /var/lib/pykeyinit-helper/pam.d/sshd /etc/pam.d/sshd"
    subprocess.run(command.split(), check=True)
    assert path.read_text() == text


def test_the_words_of_a_line_stay_and_can_be_chosen() -> None:
    path, text = (
        PAM_D / "sshd",
        PERMIT + UID + THEIRS + OURS.replace("force revoke", "tag revoke=2h"),
    )
    path.write_text(text)
    assert run("enable", "sshd").returncode == 0
    assert lines_at_work("sshd") == ["session optional pam_pykeyinit.so force tag revoke=2h"]
    assert run("enable", "sshd", "--options", "force revoke=never").returncode == 0
    assert lines_at_work("sshd") == ["session optional pam_pykeyinit.so force revoke=never"]
    assert run("enable", "sshd").stdout == "sshd: nothing to do, it is enabled\n"
    bad = run("enable", "sshd", "--options", "force revok")
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "unknown option: revok" in bad.stderr
    assert run("disable", "sshd").returncode == 0
    assert path.read_text() == text


def test_a_word_of_which_nobody_knows_what_was_meant() -> None:
    path, text = PAM_D / "sshd", PERMIT + UID + OURS.replace("revoke", "revoke=5x")
    path.write_text(text)
    done = run("enable", "sshd")
    assert (done.returncode, path.read_text()) == (1, text)
    assert "revoke=5x: must be never, cred, or a time" in done.stderr
    assert "--options 'force revoke'" in done.stderr
    assert run("enable", "--options", "force revoke", "sshd").returncode == 0
    assert lines_at_work("sshd") == [OURS.rstrip()]


def of_debian(*services: str) -> None:
    """Debian's files, with modules that every machine has."""
    for service in services:
        text = (DEBIAN / service).read_text()
        (PAM_D / service).write_text(re.sub(r"pam_(?!keyinit)\w+\.so", "pam_permit.so", text))


def test_one_after_the_other_as_the_manual_page_has_it() -> None:
    """runuser-l includes runuser: our line in runuser does not create its keyring."""
    of_debian("runuser", "runuser-l")
    for service in ("runuser", "runuser-l"):
        assert run("enable", service).stdout.endswith(f"/{service}\n")
    assert lines_at_work("runuser-l") == [OURS.rstrip()]
    assert lines_at_work("runuser") == [OURS.rstrip().replace("force ", "")]
    keyring_of("runuser-l")


def test_the_service_that_is_in_the_way_is_named_with_the_command() -> None:
    of_debian("su", "su-l", "common-auth", "common-account", "common-session")
    done = run("enable", "su")
    assert done.returncode == 1
    assert "su-l would be wrong" in done.stderr
    command = done.stderr.strip().rpartition("; use: ")[2]
    assert command == "pykeyinit-helper enable su-l su"
    done = run(*command.split()[1:])
    assert done.returncode == 0, done.stderr
    assert "su: programs that su starts no longer find the caller's keys" in done.stderr
    for service in ("su", "su-l"):
        keyring_of(service)


def test_what_changes_for_users_of_sudo_is_named_before() -> None:
    of_debian("sudo", "common-auth", "common-account", "common-session-noninteractive")
    done = run("enable", "--dry-run", "sudo")
    assert done.returncode == 0
    assert "no longer find the caller's keys" in done.stderr
    assert "a revoked keyring when sudo ends" in done.stderr
    command = re.search(
        r"pykeyinit-helper (enable --options 'force revoke=never' sudo)", done.stderr
    )
    assert command
    taken = subprocess.run(f"{HELPER} {command[1]}", shell=True, capture_output=True, text=True)
    assert taken.returncode == 0
    assert "revoked" not in taken.stderr
    assert lines_at_work("sudo") == ["session optional pam_pykeyinit.so force revoke=never"]


def test_each_line_comes_when_it_is_said_also_into_a_file() -> None:
    """The change of a service is printed after the action on the service before."""
    of_debian("sudo", "common-auth", "common-account", "common-session-noninteractive")
    (PAM_D / "doas").write_text((PAM_D / "sudo").read_text())
    command = [HELPER, "enable", "sudo", "doas"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    reported = [
        "sudo: programs that sudo starts", "+++ /etc/pam.d/sudo", "sudo: enabled",
        "doas: programs that doas starts", "+++ /etc/pam.d/doas", "doas: enabled",
    ]  # fmt: skip
    assert done.returncode == 0, done.stdout
    places = [done.stdout.index(line) for line in reported]
    assert places == sorted(places), done.stdout


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ("ssh", "there is no /etc/pam.d/ssh; if sshd is meant: pykeyinit-helper enable sshd"),
        ("gdm", "if gdm-password is meant"),
        ("cups", "begins no session"),
        ("passwd", "begins no session"),
        ("other", "every program without a file of its own"),
    ],
)
def test_a_service_that_makes_no_sense(service: str, why: str) -> None:
    for name in ("sshd", "gdm-password", "cups", "passwd", "other"):
        (PAM_D / name).write_text(PERMIT + UID + OK)
    done = run("enable", service)
    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr


def test_all_that_was_enabled_is_disabled() -> None:
    """Programs that remove the module call this."""
    before = {}
    for name in ("sshd", "login", "my.service"):
        (PAM_D / name).write_text(PERMIT + UID + THEIRS)
    (PAM_D / "sshd.dpkg-old").write_text(PERMIT + BLOCK)
    (PAM_D / "hand").write_text(PERMIT + OURS)
    before = {path.name: path.read_bytes() for path in PAM_D.iterdir()}
    assert run("enable", "sshd", "login", "my.service").returncode == 0
    shown = run("disable", "--all", "--dry-run")
    assert (shown.returncode, shown.stdout.count("--- /etc/pam.d/")) == (0, 3)
    done = run("disable", "--all")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in PAM_D.iterdir()} == before
    again = run("disable", "--all")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    wrong_usage = run("disable", "--all", "sshd")
    assert (wrong_usage.returncode, wrong_usage.stderr.count("\n")) == (2, 1)
