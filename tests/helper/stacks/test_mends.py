"""The mend of a `check` finding is a command: pasted into a shell, it removes the finding."""

import os
from pathlib import Path

import pytest

from helper.stacks.asked import found, mend, paste, rules_of, run
from helper.stacks.test_line_rules import UNREACHED
from pykeyinit_helper.stacks import stack
from pykeyinit_helper.stacks.folders import Folders
from support import world

pytestmark = pytest.mark.privileged

SSH, UNITS = Path("/etc/ssh"), Path("/etc/systemd/system")
OURS = "session optional pam_pykeyinit.so force revoke\n"
PLAIN = OURS.replace("force ", "")
THEIRS = "session optional pam_keyinit.so force revoke\n"
UNIX = "session required pam_unix.so\n"
AUTH = "auth required pam_unix.so\naccount required pam_unix.so\n"
UID = "session required pam_loginuid.so\n"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (AUTH + THEIRS + OURS, ["twice"]),
        (AUTH + OURS + THEIRS, ["twice"]),
        (AUTH + THEIRS + PLAIN, ["twice"]),
        (AUTH + UID + THEIRS + UNIX + PLAIN, ["twice"]),
        (AUTH + OURS + UID + THEIRS, ["twice", "early"]),
        (AUTH + OURS + OURS, ["twice"]),
        (AUTH + OURS + "session optional pam_pykeyinit.so\n", ["twice"]),
        (AUTH + THEIRS + "session \\\n optional pam_pykeyinit.so \\\n force\n" + UNIX, ["twice"]),
        (AUTH + OURS.replace("optional", "required"), ["strict"]),
        (AUTH + THEIRS.replace("optional", "[success=ok default=die]"), ["strict"]),
        (AUTH + OURS.replace("optional", "sufficient") + UNIX, ["strict"]),
        (AUTH + OURS.replace("kevoke", "").replace("revoke", "revok"), ["options"]),
        (AUTH + PLAIN.replace("revoke", "force revoke=5x link=usr tag"), ["options"]),
        (AUTH + OURS.replace("pykeyinit", "pykeyint"), ["misspelt"]),
        (AUTH + OURS.replace(".so", ".py"), ["misspelt"]),
        (AUTH + OURS.replace("so", "so ", 1).replace("session", "account"), ["wrong-type"]),
        (AUTH + OURS + OURS.replace("session", "password"), ["wrong-type"]),
        (AUTH + OURS + UID, ["early"]),
        (AUTH + OURS + UNIX + "session required pam_selinux.so close\n" + UNIX, ["early"]),
        (AUTH + "session optional pam_krb5.so\n" + OURS, ["late"]),
        (AUTH + "session optional pam_mount.so\n" + UNIX + THEIRS + UNIX, ["late"]),
        (AUTH + OURS.replace("session", "auth") + THEIRS, ["twice"]),
        (AUTH + THEIRS.replace("session", "auth") + OURS, ["twice"]),
        (AUTH + "auth optional pam_krb5.so\n" + OURS, ["setcred"]),
        (AUTH + "auth optional pam_krb5.so\n" + THEIRS, ["setcred"]),
        ("@include common-auth\nauth optional pam_afs_session.so\n" + OURS, ["setcred"]),
        (AUTH + "@include common-session\n" + OURS + UID, ["early"]),
    ],
)
def test_of_a_service(text: str, rules: list[str], machine: Path) -> None:
    (machine / "sshd").write_text(text)
    mend(*rules)
    assert "pykeyinit.so" in (machine / "sshd").read_text() or "pam_keyinit.so" in text


@pytest.mark.parametrize("text", [text for text, expected in UNREACHED if expected])
def test_of_a_line_that_is_never_reached(text: str, machine: Path) -> None:
    part = "session sufficient pam_unix.so\n"
    (machine / "sshd").write_text("account required pam_unix.so\n" + text)
    for name, lines in (("part", part), ("ours", part + OURS)):
        (machine / name).write_text(lines)
    (finding,) = (each for each in found() if "sshd" in each["services"])
    if "=1" in text:  # a jump whose target is unknown
        assert finding["mend"].startswith("by hand: move it before ")
        return
    paste(finding["mend"])
    assert not [each for each in found() if "sshd" in each["services"]]


def test_of_a_file_that_services_include(machine: Path) -> None:
    common = machine / "common-session"
    common.write_text(common.read_text() + OURS)
    for name in ("sshd", "cron", "su-l"):
        (machine / name).write_text(AUTH + THEIRS + "@include common-session\n")
    mend("twice")
    assert "pykeyinit" not in common.read_text()


def test_of_a_line_in_an_included_file_and_a_unit(machine: Path) -> None:
    """Only the service gets `force`: for other services, as su, the included line is unchanged."""
    unit = UNITS / "cron.service"
    unit.write_text("[Service]\nExecStart=/usr/sbin/cron -f\n")
    common = machine / "common-session"
    common.write_text(common.read_text() + PLAIN)
    (machine / "cron").write_text(AUTH + UID + "@include common-session\n")
    mend("keyring-mode")
    assert common.read_text().endswith(PLAIN)
    assert OURS.split(" ")[2] in (machine / "cron").read_text()


def test_of_a_service_and_its_unit_with_two_names(machine: Path) -> None:
    (UNITS / "ssh.service").write_text("[Service]\nExecStart=/usr/sbin/sshd -D\n")
    (UNITS / "sshd.service").symlink_to("ssh.service")
    (machine / "sshd").write_text(AUTH + PLAIN)
    (finding,) = found()
    assert "ssh.service (sshd.service)" in finding["what"]
    mend("keyring-mode")


def test_of_a_unit_of_the_helper(machine: Path) -> None:
    (machine / "sshd").write_text(AUTH + OURS)
    unit = UNITS / "echod.service"
    unit.write_text("[Service]\nExecStart=/usr/bin/pykeyinit-helper run -- /usr/sbin/echod\n")
    (finding,) = found()
    assert finding["rule"] == "keyring-mode"
    command, _, reload = finding["mend"].rpartition(" && ")
    assert reload == "systemctl daemon-reload"
    paste(command)
    assert found() == []


def test_of_sshd_without_pam(machine: Path) -> None:
    (machine / "sshd").write_text(AUTH + OURS)
    config, more = SSH / "sshd_config", SSH / "sshd_config.d/50.conf"
    config.write_text("# UsePAM yes\nUsePAM no\n")
    mend("no-pam")
    config.write_text("PasswordAuthentication no\n")
    mend("no-pam")
    more.parent.mkdir()
    more.write_text("usepam = NO # said\n")
    config.write_text("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n")
    mend("no-pam")
    assert more.read_text() == "UsePAM yes\n"
    config.write_text('UsePAM "yes"\n')
    assert found() == []
    config.write_text("Match User alice\nUsePAM yes\n")  # which sshd refuses
    assert rules_of(found()) == ["no-pam"]


def test_of_files_that_others_may_change(machine: Path) -> None:
    (machine / "sshd").write_text(AUTH + OURS)
    (machine / "sshd").chmod(0o666)
    os.chown(machine / "login", world.uid("dave"), 0)
    mend("writable", "writable")
    machine.chmod(0o777)
    mend("writable")


def test_of_a_set_user_id_program(machine: Path) -> None:
    (machine / "su").write_text(
        AUTH + "session optional pam_python.so pam_pykeyinit.py force revoke\n"
    )
    mend("pam-python-in-set-user-id")
    assert (machine / "su").read_text() == AUTH + OURS


def test_of_a_vendors_file(machine: Path, vendors: Path) -> None:
    """The vendor's file is unchanged: the administrator's file overrides it."""
    (vendors / "sshd").write_text(AUTH + OURS.replace("optional", "required"))
    mend("strict")
    assert (machine / "sshd").read_text() == AUTH + OURS
    assert "required" in (vendors / "sshd").read_text()


def test_of_a_service_with_the_auth_lines_of_other(machine: Path) -> None:
    """One auth line of its own would replace all of those."""
    (machine / "other").write_text("auth required pam_permit.so\n-auth optional pam_krb5.so\n")
    (machine / "sshd").write_text("account required pam_permit.so\n" + OURS)
    (machine / "systemd-user").write_text(AUTH + OURS)  # and not the vendor's
    before = [entry.module for entry in stack.read("sshd", Folders()).of("auth")]
    mend("setcred")
    after = [entry.module for entry in stack.read("sshd", Folders()).of("auth")]
    assert after == ["pam_pykeyinit.so", *before]


def test_of_services_without_a_keyring(machine: Path) -> None:
    (machine / "sshd").write_text(AUTH + OURS)
    (machine / "cron").write_text(AUTH + UID + "@include common-session\n")
    done = run("--ignore", "quota")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout  # a note, no problem
    assert ": nothing to mend; 1 note" in done.stdout
    mend("without")


def test_of_one_report_pasted_as_a_whole(machine: Path) -> None:
    """The first mend changes the line numbers: the next one must not depend on them."""
    required = OURS.replace("optional", "required").replace("revoke", "revok")
    (machine / "sshd").write_text(AUTH + required + THEIRS + UID)
    while findings := found():
        for finding in findings:
            if not finding["mend"].startswith("by hand: "):
                paste(finding["mend"])
        assert UID in (machine / "sshd").read_text()
    assert (machine / "sshd").read_text() == AUTH + UID + OURS
