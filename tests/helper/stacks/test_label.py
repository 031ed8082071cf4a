"""`check` with SELinux on: a keyring that is made before pam_selinux(8) sets the label of keys.

vagrant/scenarios/6-selinux.toml has the labels themselves, in a machine with SELinux.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.change.test_place import put
from helper.stacks.asked import found
from helper.stacks.test_rules import OURS, SCRIPT, THEIRS, judged, service
from pykeyinit_helper.stacks import machine as a_machine
from pykeyinit_helper.stacks import stack
from pykeyinit_helper.stacks.blocks import NotUnderstood
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.identity_rules import label
from pykeyinit_helper.stacks.machine import Facts
from support.pam_folder import DISTRIBUTIONS

ON = Facts(selinux=True)
CLOSE = "session required pam_selinux.so close\n"
OPEN = "session required pam_selinux.so open env_params\n"
BOTH = "session [success=ok default=bad] /lib/security/pam_selinux.so nottys\n"
RESTORE = "session required pam_selinux.so restore\n"


@pytest.mark.parametrize("line", [OURS, THEIRS, SCRIPT])
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (CLOSE, OPEN, "label 2"),
        (CLOSE, BOTH, "label 2"),
        (CLOSE + OPEN, "", ""),
        (BOTH, "", ""),
        (CLOSE, "", ""),
        ("", "", ""),
        # Linux-PAM 1.5.2 and 1.7.0 leave the label of keys in place at `restore`.
        (CLOSE + OPEN + RESTORE, OPEN, ""),
        (CLOSE, RESTORE, ""),
        ("", CLOSE + OPEN, "early 1 label 1"),
    ],
)
def test_before_and_after(
    tmp_path: Path, line: str, before: str, after: str, expected: str
) -> None:
    folders = service(tmp_path, sshd=before + line + after)
    findings = judged(folders, ON)
    assert " ".join(f"{finding.rule} {finding.line}" for finding in findings) == expected
    assert "label" not in [finding.rule for finding in judged(folders)]  # without SELinux


@pytest.mark.parametrize(
    ("distribution", "shipped", "enabled"),
    [
        # Debian's policy does not let sshd write a keyring with the user's label.  `enable` puts
        # sshd's line in place of pam_keyinit's, and lightdm's before the include, whose modules
        # may store keys.
        ("debian-12", ["sshd"], ["lightdm", "sshd"]),
        ("debian-13", ["sshd"], ["lightdm", "sshd"]),
        ("fedora", [], []),
        ("arch", [], []),
        ("opensuse", [], []),
        ("opensuse-leap-15", [], []),
    ],
)
def test_a_distribution_as_it_is_shipped_and_enabled(
    distribution: str, shipped: list[str], enabled: list[str]
) -> None:
    """It is after pam_selinux.so open, unless the distribution's line or an include is before."""
    root = DISTRIBUTIONS / distribution
    assert in_the_programs_context(root, enabled=False) == shipped
    assert in_the_programs_context(root, enabled=True) == enabled


def in_the_programs_context(root: Path, *, enabled: bool) -> list[str]:
    """The services of a distribution that have the finding."""
    folders = a_machine.folders(root)
    stacks: list[Stack] = []
    for name in folders.names():
        try:
            stacks.append(put(name, folders)[2] if enabled else stack.read(name, folders))
        except NotUnderstood:
            continue
    assert len(stacks) > 3
    return [finding.services[0] for finding in label(stacks, ON)]


@pytest.fixture
def _selinux() -> Iterator[None]:
    """A kernel with SELinux, as far as `check` looks: the file that selinuxfs has.

    /sys is empty in a chroot.
    """
    subprocess.run(["mount", "-t", "tmpfs", "selinux", "/sys"], check=True)
    Path("/sys/fs/selinux").mkdir(parents=True)
    Path("/sys/fs/selinux/enforce").write_text("0")
    yield
    subprocess.run(["umount", "/sys"], check=True)


@pytest.mark.privileged
@pytest.mark.parametrize("line", [OURS, THEIRS])
def test_it_is_a_note_of_a_machine_with_selinux(
    line: str, machine: Path, request: pytest.FixtureRequest
) -> None:
    text = "auth required pam_unix.so\naccount required pam_unix.so\n" + CLOSE
    (machine / "sshd").write_text(text + line + OPEN)
    assert found() == []
    request.getfixturevalue("_selinux")
    (finding,) = found()
    assert (finding["rule"], finding["line"], finding["note"]) == ("label", 4, True)
    assert "it comes before pam_selinux.so open (/etc/pam.d/sshd:5)" in finding["what"]
    assert finding["mend"].startswith("by hand: put it after pam_selinux.so open, if")
    (machine / "sshd").write_text(text + OPEN + line)
    assert found() == []
