"""The findings of `check` about stacks and machines: real distributions, and each rule alone."""

from pathlib import Path

import pytest

from pykeyinit_helper.stacks import machine, rules, stack
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.finding import Finding
from pykeyinit_helper.stacks.folders import Folders
from pykeyinit_helper.stacks.installed import Broken
from pykeyinit_helper.stacks.machine import Facts, Quota, Unsafe
from pykeyinit_helper.stacks.sshd_config import UsePam
from pykeyinit_helper.stacks.units import Unit
from support.pam_folder import DISTRIBUTIONS

OURS = "session optional pam_pykeyinit.so force revoke\n"
SCRIPT = "session optional pam_python.so pam_pykeyinit.py\n"
THEIRS = "session optional pam_keyinit.so force revoke\n"
UNIX = "session required pam_unix.so\n"


def judged(folders: Folders, facts: Facts = Facts()) -> list[Finding]:  # noqa: B008
    return rules.judge([stack.read(name, folders) for name in folders.names()], facts)


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        # cron and others have never had pam_keyinit in Debian.
        ("debian-12", [("without", "", 0, "atd cron lightdm sudo-i vsftpd xrdp-sesman")]),
        ("debian-13", [("without", "", 0, "atd cron lightdm sudo-i vsftpd xrdp-sesman")]),
        # Debian ships vsftpd with the keyring line before pam_loginuid.
        ("fedora", [("early", "/etc/pam.d/vsftpd", 1, "vsftpd")]),
        ("arch", [("without", "", 0, "crond su-l")]),
        ("opensuse", [("without", "", 0, "crond xrdp-sesman")]),
        ("opensuse-leap-15", [("without", "", 0, "systemd-user")]),
    ],
)
def test_a_distribution_as_it_is_shipped(
    distribution: str, expected: list[tuple[str, str, int, str]]
) -> None:
    found = judged(machine.folders(DISTRIBUTIONS / distribution))
    assert [(f.rule, f.file, f.line, " ".join(f.services)) for f in found] == expected


def service(tmp_path: Path, **files: str) -> Folders:
    for name, text in files.items():
        (tmp_path / name.replace("_", "-")).write_text(text)
    (tmp_path / "other").write_text("auth required pam_deny.so\n")
    return Folders(services=(tmp_path,), includes=(tmp_path,))


WRITABLE = Facts(unsafe=(Unsafe("/lib/x", "everybody can write to it", "it is loaded"),))
SU = Facts(setuid=frozenset({"su"}))
SSHD = {mode: Facts(units=(Unit("ssh.service", "/x", mode, "/usr/sbin/sshd"),)) for mode in
        ("private", "shared", "inherit")}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "facts", "expected"),
    [
        ("su", "session optional pam_python.so x.py\n", SU, "pam-python-in-set-user-id 1"),
        ("su_l", "\nsession optional pam_python.so x.py\n", SU, "pam-python-in-set-user-id 2"),
        ("su", SCRIPT.replace("session", "auth"), SU, "pam-python-in-set-user-id 1"),
        ("sshd", SCRIPT, SU, ""),
        ("su", OURS, SU, ""),
        ("sshd", OURS.replace("optional", "required"), Facts(), "strict 1"),
        ("sshd", OURS.replace("optional", "Requisite"), Facts(), "strict 1"),
        ("sshd", OURS.replace("optional", "[success=ok default=bad]"), Facts(), "strict 1"),
        ("sshd", OURS.replace("optional", "sufficient") + UNIX, Facts(), "strict 1"),
        ("sshd", OURS.replace("optional", "[default=1]") + UNIX, Facts(), "strict 1"),
        ("sshd", OURS.replace("optional", "[success=ok default=ignore]"), Facts(), ""),
        ("sshd", THEIRS.replace("optional", "required"), Facts(), "strict 1"),
        ("sshd", THEIRS + OURS, Facts(), "twice 2"),
        ("sshd", OURS + THEIRS, Facts(), "twice 2"),
        ("sshd", THEIRS + OURS.replace("force ", ""), Facts(), "twice 2"),
        ("sshd", OURS + THEIRS.replace("force ", ""), Facts(), ""),  # it finds ours, and rests
        ("sshd", THEIRS + THEIRS, Facts(), ""),  # not our concern
        # Never both: one jumps over the other.
        ("sshd", "session [success=1 default=ignore] pam_succeed_if.so\n" + OURS, Facts(), ""),
        (
            "sshd",
            "session [default=2] pam_permit.so\n" + UNIX + THEIRS + OURS,
            Facts(),
            "",
        ),
        ("sshd", "session required pam_krb5.so\n" + OURS, Facts(), "late 2"),
        ("sshd", OURS + "session required pam_krb5.so\n", Facts(), ""),
        ("sshd", "auth required pam_krb5.so\n" + OURS, Facts(), "setcred 1"),
        ("sshd", OURS + "session required pam_loginuid.so\n", Facts(), "early 1"),
        ("sshd", OURS + "session required pam_selinux.so close\n", Facts(), "early 1"),
        ("sshd", OURS + "session required pam_selinux.so open\n", Facts(), ""),
        ("sshd", "session required pam_loginuid.so\n" + OURS, Facts(), ""),
        ("sshd", OURS.replace("force ", ""), SSHD["private"], "keyring-mode 1"),
        ("sshd", THEIRS.replace("force ", ""), SSHD["shared"], "keyring-mode 1"),
        ("sshd", OURS.replace("force ", ""), SSHD["inherit"], ""),
        ("sshd", OURS, SSHD["private"], ""),
        ("sshd", OURS, Facts(absent=frozenset({"pam_pykeyinit.so"})), "absent 1"),
        ("sshd", THEIRS, Facts(absent=frozenset({"pam_pykeyinit.so"})), ""),
        ("sshd", OURS, Facts(broken=(Broken("pam_pykeyinit.so", "open 14"),)), "broken 0"),
        ("sshd", OURS, Facts(no_pam=UsePam("/etc/ssh/sshd_config", 3)), "no-pam 3"),
        ("sshd", OURS, Facts(no_pam=UsePam("/etc/ssh/sshd_config", 0)), "no-pam 0"),
        ("cron", OURS, Facts(no_pam=UsePam("/etc/ssh/sshd_config", 3)), ""),
        ("sshd", UNIX, Facts(no_pam=UsePam("/etc/ssh/sshd_config", 3)), ""),
        ("sshd", OURS, Facts(refused="EPERM"), "keyctl-refused 0"),
        ("sshd", OURS, Facts(quotas=(Quota("www", 180, 200, 0, 20000),)), "quota 0"),
        ("sshd", OURS, Facts(quotas=(Quota("www", 3, 200, 19000, 20000),)), "quota 0"),
        ("sshd", OURS, Facts(quotas=(Quota("www", 179, 200, 0, 20000),)), ""),
        ("sshd", OURS, WRITABLE, "writable 0"),
        ("sshd", OURS + "session\n", Facts(), "unreadable 2"),
        ("sshd", OURS + "sessions required pam_unix.so\n", Facts(), "unreadable 2"),
        ("sshd", OURS + "session [nonsense] pam_unix.so\n", Facts(), "unreadable 2"),
        ("sshd", OURS + "session include nowhere\n", Facts(), "unreadable 2"),
        ("sshd", OURS + "session include sshd\n", Facts(), "unreadable 2"),
        ("sshd", OURS + "\\\n# comment\n" + UNIX, Facts(), "unreadable 2"),
        ("sshd", OURS + "session optional pam_x.so [a\\\n b]\n", Facts(), "unreadable 2"),
        ("sshd", OURS + "session optional pam_x.so \\\n a\n", Facts(), ""),
        ("sshd", OURS + "\\\n", Facts(), "unreadable 0"),
    ],
)  # fmt: skip
def test_each_rule(tmp_path: Path, name: str, text: str, facts: Facts, expected: str) -> None:
    found = judged(service(tmp_path, **{name: text}), facts)
    assert " ".join(f"{finding.rule} {finding.line}" for finding in found) == expected
    for finding in found:
        assert finding.what
        assert finding.mend


def test_through_includes_and_brackets(tmp_path: Path) -> None:
    """A problem is reported once, at its line, with all affected services."""
    found = judged(
        service(
            tmp_path,
            sshd="@include deep\n" + OURS,
            login="-SESSION Substack deep\nsession \\\n  optional pam_pykeyinit.so force\n",
            deep="session [success=ok new_authtok_reqd=ok default=ignore] pam_krb5.so\n",
        )
    )
    assert [(f.rule, f.services, f.line) for f in found] == [
        ("late", ("login",), 2), ("late", ("sshd",), 2),
    ]  # fmt: skip
    shared = judged(service(tmp_path, deep=OURS.replace("optional", "required")))
    assert [(f.rule, f.services, Path(f.file).name) for f in shared if f.rule == "strict"] == [
        ("strict", ("deep", "login", "sshd"), "deep")
    ]


def test_who_has_none_while_others_do(tmp_path: Path) -> None:
    folders = service(tmp_path, sshd=OURS, cron=UNIX, passwd=UNIX)
    assert [(f.rule, f.services) for f in judged(folders)] == [("without", ("cron",))]
    (tmp_path / "sshd").write_text(UNIX)
    assert judged(folders) == []


def test_a_unit_of_the_helper() -> None:
    command = "/usr/bin/pykeyinit-helper run --user www -- /usr/sbin/d"
    for mode, expected in (("private", ["keyring-mode"]), ("inherit", []), ("shared", [])):
        facts = Facts(units=(Unit("d.service", "/etc/systemd/system/d.service", mode, command),))
        assert [f.rule for f in rules.judge([], facts)] == expected


def test_the_worst_comes_first() -> None:
    """In the order of RULES, not of the services."""
    entries = tuple(
        Entry("/f", line, line, "session", "required", (-3,) * 32, module, ("force",))
        for line, module in ((1, "pam_krb5.so"), (2, "pam_pykeyinit.so"), (3, "pam_python.so"))
    )
    facts = Facts(setuid=frozenset({"su"}), quotas=(Quota("www", 200, 200, 0, 20000),))
    found = rules.judge([Stack("su", "/f", entries, ())], facts)
    order = ["pam-python-in-set-user-id", "strict", "late", "quota"]
    assert [finding.rule for finding in found] == order
