"""The place of our line in real files and in generated ones; and that it can be removed again."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helper.stacks import generated
from pykeyinit_helper.change import change, place
from pykeyinit_helper.stacks import blocks, machine, rules, stack
from pykeyinit_helper.stacks.blocks import NotUnderstood
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.folders import Folders
from pykeyinit_helper.stacks.machine import Facts, is_ours
from support.pam_folder import DISTRIBUTIONS


def reader(service: str, folders: Folders, path: Path) -> place.Read:
    """The service's stack, if its file had another text."""
    return lambda text: stack.read(service, change.Changed(folders, path, text))


def put(service: str, folders: Folders) -> tuple[str, str, Stack]:
    """The file before and after our line is added, and the stack with it, verified."""
    path = folders.find(service, folders.services)
    assert path
    text = folders.read(path)
    new = place.put_in(text, reader(service, folders, path), None, copied=False)
    with_ours = change.Changed(folders, path, new)
    names = folders.names()
    place.verify(
        [stack.read(name, folders) for name in names],
        [stack.read(name, with_ours) for name in names],
    )
    return text, new, stack.read(service, with_ours)


@pytest.mark.parametrize(
    ("distribution", "services", "before", "after"),
    [
        # In place of pam_keyinit's line.
        ("debian-12 debian-13", "sshd", "pam_loginuid", "pam_permit"),
        ("debian-12", "login", "pam_mail", "pam_permit"),
        ("debian-12 debian-13", "gdm-password", "pam_selinux", "pam_limits"),
        ("debian-12 debian-13", "su-l", "", "pam_env"),
        ("debian-12 debian-13", "runuser-l", "", "pam_systemd"),
        # runuser-l has its own keyring before, and ours then does nothing: it has no `force`.
        ("debian-12 debian-13", "runuser", "", "pam_limits"),
        ("debian-12 debian-13", "cockpit", "pam_selinux", "pam_ssh_add"),
        ("debian-12 debian-13", "systemd-user", "pam_unix", "pam_systemd"),
        ("fedora", "sshd login remote", "pam_namespace", "pam_motd pam_keyinit"),
        ("fedora", "gdm-password", "pam_selinux", "pam_namespace"),
        ("fedora", "su-l sudo-i", "", "pam_keyinit"),
        ("fedora", "runuser-l", "", "pam_systemd"),
        ("fedora", "cockpit", "pam_selinux", "pam_ssh_add"),
        # Before the first line of the substack common-session.
        ("opensuse", "sshd login gdm-password sddm", "pam_loginuid", "common-session"),
        ("opensuse", "cockpit", "pam_loginuid", "pam_systemd"),
        ("opensuse opensuse-leap-15", "su-l runuser-l", "", "pam_systemd"),
        ("opensuse", "sudo sudo-i", "", "pam_limits"),
        ("opensuse-leap-15", "login gdm-password", "pam_loginuid", "pam_systemd"),
        ("opensuse-leap-15", "sudo sudo-i", "", "pam_systemd"),
        ("opensuse-leap-15", "systemd-user", "pam_selinux", "pam_systemd"),
        # Leap has it last, so it is no worse there than pam_keyinit was.
        ("opensuse-leap-15", "sshd", "pam_lastlog", ""),
        # Its place was before pam_loginuid, which is wrong.
        ("fedora", "vsftpd", "pam_loginuid", "pam_keyinit"),
        # Where there was none: after the modules that set the user, before the includes.
        ("debian-12 debian-13", "cron", "pam_loginuid", "pam_env"),
        ("debian-12 debian-13", "atd", "pam_loginuid", "pam_permit"),
        ("debian-12 debian-13", "lightdm", "pam_loginuid", "pam_permit"),
        ("debian-12", "xrdp-sesman", "", "pam_permit"),
        ("debian-12 debian-13", "sudo sudo-i", "pam_limits", "pam_permit"),
        ("debian-12 debian-13", "vsftpd", "", "pam_permit"),
        ("fedora", "crond xrdp-sesman", "pam_loginuid", "pam_keyinit"),
        ("fedora", "systemd-user", "pam_namespace", "pam_umask"),
        ("arch", "system-login", "pam_loginuid", "pam_limits"),
        ("arch", "crond", "pam_loginuid", "pam_limits"),
        ("opensuse", "crond xrdp-sesman", "pam_loginuid", "pam_systemd"),
        # A login service in which nothing shows the place: before all other lines.
        ("arch", "su-l", "", "pam_unix"),
    ],
)
def test_where_it_is_put(distribution: str, services: str, before: str, after: str) -> None:
    """The modules before it and after it, as libpam sees them."""
    for name in distribution.split():
        for service in services.split():
            folders = machine.folders(DISTRIBUTIONS / name)
            path = folders.find(service, folders.services)
            assert path
            text, new, put_stack = put(service, folders)
            entries = put_stack.of("session")
            (at,) = (number for number, entry in enumerate(entries) if is_ours(entry))
            assert (entries[at - 1].name if at else "").removesuffix(".so") == before
            following = entries[at + 1].name.removesuffix(".so") if at + 1 < len(entries) else ""
            assert following in (after.split() or [""])
            assert entries[at].control == "optional"
            assert blocks.take_out(new) == (text, False)
            assert put(service, change.Changed(folders, path, new))[:2] == (new, new)


@pytest.mark.parametrize(
    ("distribution", "service", "why"),
    [
        ("debian-12", "common-session", "pam-auth-update generates this file"),
        ("debian-12", "su", "su-l would be wrong"),  # which has pam_keyinit, and includes su
        ("fedora", "sudo", "sudo-i would be wrong"),
        ("arch", "sshd", "pam_keyinit.so makes another keyring"),  # of system-login
        ("arch", "su", "no session line that shows"),
    ],
)
def test_what_is_left_alone(distribution: str, service: str, why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        put(service, machine.folders(DISTRIBUTIONS / distribution))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("auth required pam_unix.so\n", "no session line"),
        ("session required pam_unix.so\n", "no session line that shows"),
        ("session include nowhere\n", "there is no such file"),
        ("session required pam_unix.so \\\n", "ends in a backslash"),
        ("session [success=1 default=ignore] pam_keyinit.so\nsession required a.so\n", "jumps"),
        (
            "session [success=2 default=ignore] pam_succeed_if.so\nsession required "
            "pam_loginuid.so\nsession required pam_unix.so\nsession required pam_env.so\n",
            "a jump leads over it",
        ),
        ("# Generated by authselect\nsession required pam_loginuid.so\n", "authselect generates"),
        ("session required pam_keyinit.so [force\nsession required pam_a.so]\n", "in brackets"),
        (
            "session required pam_krb5.so\nsession required pam_loginuid.so\n",
            "comes after pam_krb5",
        ),
    ],
)
def test_what_is_not_understood(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "svc").write_text(text)
    (tmp_path / "other").write_text("session required pam_deny.so\n")
    with pytest.raises(NotUnderstood, match=why):
        put("svc", Folders(services=(tmp_path,), includes=(tmp_path,)))


def test_a_jump_that_ends_at_our_line_is_not_in_the_way(tmp_path: Path) -> None:
    text = (
        "session [success=1 default=ignore] pam_succeed_if.so\nsession required pam_a.so\n"
        "session required pam_loginuid.so\nsession required pam_unix.so"
    )
    (tmp_path / "svc").write_text(text)
    folders = Folders(services=(tmp_path,), includes=(tmp_path,))
    _, new, put_stack = put("svc", folders)
    assert [entry.name for entry in put_stack.entries][2:4] == [
        "pam_loginuid.so", "pam_pykeyinit.so",
    ]  # fmt: skip
    assert blocks.take_out(new) == (text, False)


def test_what_an_administrator_changed_is_taken_out_or_left() -> None:
    folders = machine.folders(DISTRIBUTIONS / "debian-12")
    text, new, _ = put("sshd", folders)
    assert blocks.take_out(new.replace("pam_pykeyinit.so force", "pam_pykeyinit.so debug")) == (
        text, False,
    )  # fmt: skip
    own = new.replace(
        "session optional pam_py", "session required pam_own.so\nsession optional pam_py"
    )
    for changed in (own, new.replace("# pykeyinit-helper: end", "# end")):
        with pytest.raises(NotUnderstood):
            blocks.take_out(changed)
    assert blocks.take_out(text) == (text, False)


def test_a_near_miss_of_pam_keyinits_name_is_not_taken_for_ours() -> None:
    """An administrator restored or noted pam_keyinit's line inside the block: it stays."""
    text, new, _ = put("sshd", machine.folders(DISTRIBUTIONS / "debian-12"))
    ours = next(row for row in new.split("\n") if row.startswith("session optional pam_py"))
    for row in ("session optional pam_keyint.so force", "# not: session optional pam_keyint.so"):
        back = blocks.take_out(new.replace(ours, row))[0].split("\n")
        assert row in back
        back.remove(row)
        assert "\n".join(back) == text
    assert blocks.take_out(new.replace(ours, ours.replace("pykeyinit", "pykeyint")))[0] == text


MODULES = ("pam_unix.so", "pam_loginuid.so", "pam_keyinit.so", "pam_krb5.so", "pam_env.so")


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(generated.folders(), st.lists(st.sampled_from(MODULES), min_size=40, max_size=40))
def test_generated_files_are_left_alone_or_can_be_had_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str], modules: list[str]
) -> None:
    """Every file is either refused, or verified, reached, and restored to the byte."""
    folder = tmp_path_factory.getbasetemp() / "generated"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    names = iter(modules * 20)
    for name, text in files.items():
        while generated.MODULE in text:
            text = text.replace(generated.MODULE, next(names), 1)
        (folder / name).write_text(text.replace(generated.FOLDER, str(folder)))
    try:
        text, new, put_stack = put("svc", Folders(services=(folder,), includes=(folder,)))
    except NotUnderstood:
        return
    assert sum(is_ours(entry) for entry in put_stack.of("session")) >= 1
    assert blocks.take_out(new) == (text, False)


def test_the_difference_shows_what_it_is() -> None:
    shown = change.Change("x", Path("/etc/pam.d/x"), "a\tb\n\x1b[31m\nlast", "a\tb\nlast")
    assert shown.difference() == (
        "--- /etc/pam.d/x\n+++ /etc/pam.d/x\n@@ -1,3 +1,2 @@\n a\tb\n-\\x1b[31m\n last\n"
        "\\ No newline at end of file\n"
    )


def test_no_auth_line_takes_the_place_of_those_of_other(tmp_path: Path) -> None:
    """A service without auth lines uses other's; with one of its own it has only that."""
    folder = tmp_path / "etc/pam.d"
    folder.mkdir(parents=True)
    (folder / "other").write_text("auth required pam_unix.so\nauth optional pam_krb5.so\n")
    own = "account required pam_unix.so\nsession required pam_unix.so\n"
    (folder / "sshd").write_text(own)
    folders = machine.folders(tmp_path)
    with pytest.raises(NotUnderstood, match="pam_krb5.so works at setcred"):
        put("sshd", folders)
    (folder / "sshd").write_text(own + "session optional pam_pykeyinit.so force revoke\n")
    (finding,) = (
        each
        for each in rules.judge([stack.read("sshd", folders)], Facts())
        if each.rule == "setcred"
    )
    assert finding.mend == (
        "sed -i --follow-symlinks -e '1i auth optional pam_pykeyinit.so force revoke' "
        "-e '1i auth include other' /etc/pam.d/sshd"
    )
