"""A machine that uses the package, from install to purge: real logins, and /etc."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import world

from . import daemons
from .conftest import INSTALLED, bootstrap, build, native_version, scratch, suite
from .system import System
from .test_python_upgrade import APT

pytestmark = pytest.mark.privileged

SHOW = ("keyctl", "show", "@s")
ENABLED = ("sshd", "cron", "systemd-user")


@pytest.fixture(scope="module")
def with_daemons() -> Path:
    """A system with the dependencies of the package, and daemons, to be copied."""
    return bootstrap(f"{INSTALLED},libpython{native_version()},{daemons.PACKAGES}")


@pytest.fixture
def machine(with_daemons: Path, pamdrive: Path) -> Iterator[System]:
    root = scratch() / "root"
    subprocess.run(["/bin/cp", "-a", with_daemons, root], check=True)
    made = System(root, pamdrive)
    daemons.prepare(made)
    yield made
    made.stop()
    shutil.rmtree(root)


@pytest.fixture
def name(package: Path) -> str:
    """The name of the package for dpkg."""
    return package.name.partition("_")[0]


def own_keyring(shown: str) -> bool:
    """Whether keyctl(1) shows a session keyring that alice owns, with her keys in it."""
    return bool(re.search(rf"^ *\d+ \S+ +{world.uid('alice')} .*keyring: _ses\n", shown, re.M))


def lines_of_ours(system: System) -> list[str]:
    """The files of /etc/pam.d in which our module is active."""
    pattern = re.compile(r"^[^#\n]*pam_pykeyinit", re.M)
    folder = system.root / "etc/pam.d"
    return sorted(path.name for path in folder.iterdir() if pattern.search(path.read_text()))


def test_from_the_first_day_to_the_last(
    machine: System, package: Path, next_package: Path, name: str
) -> None:
    old, new = machine.take(package), machine.take(next_package)
    assert own_keyring(daemons.ssh(machine, *SHOW))  # pam_keyinit's
    pristine = daemons.etc(machine)

    machine.run("dpkg", "--install", old)
    assert daemons.changed(pristine, daemons.etc(machine)) == []
    machine.run("pykeyinit-helper", "enable", *ENABLED)
    assert lines_of_ours(machine) == sorted(ENABLED)
    assert own_keyring(daemons.ssh(machine, *SHOW))
    enabled = daemons.etc(machine)

    machine.run("dpkg", "--install", new)
    assert daemons.changed(enabled, daemons.etc(machine)) == []
    assert own_keyring(daemons.ssh(machine, *SHOW))
    machine.run("pykeyinit-helper", "disable", "sshd")
    assert lines_of_ours(machine) == sorted(ENABLED[1:])
    assert own_keyring(daemons.ssh(machine, *SHOW))
    machine.run("pykeyinit-helper", "enable", "sshd")

    machine.run("dpkg", "--remove", name)
    assert daemons.changed(pristine, daemons.etc(machine)) == []
    assert own_keyring(daemons.ssh(machine, *SHOW))  # that there is none at all would be wrong
    machine.run("dpkg", "--install", old)
    machine.run("pykeyinit-helper", "enable", *ENABLED)
    assert own_keyring(daemons.ssh(machine, *SHOW))
    machine.run("dpkg", "--purge", name)
    assert daemons.changed(pristine, daemons.etc(machine)) == []
    assert own_keyring(daemons.ssh(machine, *SHOW))
    assert not (machine.root / "var/lib/pykeyinit-helper").exists()


def test_a_block_that_cannot_be_taken_out_is_named(
    machine: System, package: Path, name: str
) -> None:
    """An administrator added a line to it: the package is removed, and prints what stays."""
    machine.run("dpkg", "--install", machine.take(package))
    machine.run("pykeyinit-helper", "enable", "sshd", "cron")
    file = machine.root / "etc/pam.d/sshd"
    ours = "session optional pam_pykeyinit.so"
    file.write_text(file.read_text().replace(ours, f"session optional pam_permit.so\n{ours}"))
    done = machine.run("dpkg", "--remove", name)
    assert "sshd: not changed: line" in done.stderr
    assert "/etc/pam.d/sshd: session optional pam_pykeyinit.so force revoke" in done.stderr
    assert lines_of_ours(machine) == ["sshd"]
    daemons.ssh(machine, "true")


@pytest.mark.parametrize("gone", ["pykeyinit_helper", "pam_pykeyinit"])
def test_what_was_there_comes_back_also_from_a_package_that_is_not_whole(
    machine: System, package: Path, name: str, gone: str
) -> None:
    """The helper no longer works: the package's own script restores the file."""
    pristine = daemons.etc(machine)
    machine.run("dpkg", "--install", machine.take(package))
    machine.run("pykeyinit-helper", "enable", *ENABLED)
    shutil.rmtree(machine.root / "usr/lib/python3/dist-packages" / gone)
    done = machine.run("dpkg", "--remove", name)
    assert "Traceback" not in done.stderr
    assert daemons.changed(pristine, daemons.etc(machine)) == []
    assert own_keyring(daemons.ssh(machine, *SHOW))


def test_a_line_that_locks_people_out_is_refused_before_anything_is_changed(
    machine: System, package: Path, name: str
) -> None:
    machine.run("dpkg", "--install", machine.take(package))
    machine.run("pykeyinit-helper", "enable", "sshd")
    (machine.root / "etc/pam.d/mine").write_text("session required pam_pykeyinit.so\n")
    before = daemons.etc(machine)
    refused = machine.run("dpkg", "--remove", name, check=False)
    assert refused.returncode != 0
    assert "/etc/pam.d/mine: session required pam_pykeyinit.so" in refused.stderr
    assert "/etc/pam.d/sshd" not in refused.stderr
    assert daemons.changed(before, daemons.etc(machine)) == []


def test_a_job_of_crons_does_not_run_in_roots_keyring(machine: System, package: Path) -> None:
    """systemd starts cron.service like this: with a session keyring that root owns."""
    show = "keyctl show @s; keyctl request user roots-own >/dev/null && echo found roots"
    assert "found roots" in daemons.cron_job(machine, show)  # Debian has no keyring module here
    machine.run("dpkg", "--install", machine.take(package))
    machine.run("pykeyinit-helper", "enable", "cron")
    seen = daemons.cron_job(machine, show)
    assert own_keyring(seen), seen
    assert "found roots" not in seen


def test_a_users_manager_has_a_keyring_of_its_own(machine: System, package: Path) -> None:
    machine.run("dpkg", "--install", machine.take(package))
    done = machine.run("pykeyinit-helper", "enable", "systemd-user")
    assert "/etc/pam.d/systemd-user is a copy of /usr/lib/pam.d/systemd-user" in done.stderr
    if machine.has_keyutils:
        trial = ("pykeyinit-helper", "try", "systemd-user", "alice")
        tried = machine.run("keyctl", "session", "-", *trial)
        assert tried.stdout.count("Verdict: good: a session keyring of alice's own") == 2
    checked = machine.run("pykeyinit-helper", "check", check=False).stdout
    assert "systemd-user: twice" not in checked
    machine.run("pykeyinit-helper", "disable", "systemd-user")
    assert not (machine.root / "etc/pam.d/systemd-user").exists()


def test_the_profile_of_an_older_version_goes_with_the_upgrade(
    machine: System, package: Path
) -> None:
    pristine = daemons.etc(machine)
    older = scratch() / "older"
    subprocess.run(["/usr/bin/dpkg-deb", "-R", package, older], check=True)
    control = older / "DEBIAN/control"
    control.write_text(re.sub("(?m)^Version: .*", "Version: 0.0.1", control.read_text()))
    profile = older / "usr/share/pam-configs/pykeyinit"
    profile.parent.mkdir(parents=True)
    profile.write_text(
        "Name: session keyrings\nDefault: no\nPriority: 64\nSession-Type: Additional\n"
        "Session:\n\t[success=ok new_authtok_reqd=ok default=ignore]\tpam_pykeyinit.so revoke\n"
    )
    subprocess.run(["/usr/bin/dpkg-deb", "-b", older, f"{older}.deb"], check=True)
    machine.run("dpkg", "--install", machine.take(Path(f"{older}.deb")))
    machine.run("pam-auth-update", "--package", "--enable", "pykeyinit")
    assert "common-session" in lines_of_ours(machine)
    machine.run("dpkg", "--install", machine.take(package))
    assert lines_of_ours(machine) == []
    assert daemons.changed(pristine, daemons.etc(machine)) == []


def test_from_debian_12_to_13(machine: System, package: Path, name: str) -> None:
    """dpkg puts Debian's new file beside the one that `enable` changed."""
    if suite() != "bookworm":
        pytest.skip("starts from Debian 12")
    sources = machine.root / "etc/apt/sources.list"
    sources.write_text(sources.read_text().replace("bookworm", "trixie"))
    before = (machine.root / "etc/pam.d/sshd").read_bytes()
    machine.run("dpkg", "--install", machine.take(package))
    machine.run("pykeyinit-helper", "enable", *ENABLED)
    machine.run(*APT, "update")
    keep = ("-o", "Dpkg::Options::=--force-confold")
    trixies = machine.take(build(world.ROOT, "--for", "trixie"))
    for step in (("full-upgrade",), ("install", trixies), ("--purge", "autoremove")):
        machine.run(*APT, *keep, *step)
        assert lines_of_ours(machine) == sorted(ENABLED), step
        assert own_keyring(daemons.ssh(machine, *SHOW)), step
    machine.run("dpkg", "--purge", name)
    assert (machine.root / "etc/pam.d/sshd").read_bytes() == before
    assert lines_of_ours(machine) == []
    pristine = daemons.etc(machine)
    machine.run("dpkg", "--install", trixies)
    machine.run("pykeyinit-helper", "enable", *ENABLED)
    assert own_keyring(daemons.ssh(machine, *SHOW))
    machine.run("dpkg", "--purge", name)
    assert daemons.changed(pristine, daemons.etc(machine)) == []
    assert own_keyring(daemons.ssh(machine, *SHOW))
