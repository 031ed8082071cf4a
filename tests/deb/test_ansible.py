"""conf/ansible, run by a real ansible-core on a scratch system: applied, repeated, and undone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import world

from .conftest import INSTALLED, bootstrap, native_version
from .system import System

pytestmark = pytest.mark.privileged
PACKAGES = "ansible-core,python3-apt,login,openssh-server"
PLAY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  roles:
    - role: pykeyinit
"""


@pytest.fixture(scope="module")
def fleet(package: Path, pamdrive: Path) -> Iterator[System]:
    """A system with ansible, the role and the package."""
    root = bootstrap(f"{INSTALLED},libpython{native_version()},{PACKAGES}")
    shutil.copytree(world.ROOT / "conf/ansible", root / "root/ansible")
    (root / "root/ansible/play.yml").write_text(PLAY)
    made = System(root, pamdrive)
    made.take(package)
    yield made
    made.stop()


def play(system: System, *variables: str, check: bool = True) -> tuple[int, str]:
    """The number of tasks that changed something, and the output."""
    (deb,) = (system.root / "root").glob("*.deb")
    given = (f"pykeyinit_deb=/root/{deb.name}", *variables)
    words = [
        word for each in given for word in ([each] if each.startswith("--") else ["-e", each])
    ]
    command = ("ansible-playbook", "-i", "localhost,", "/root/ansible/play.yml", *words)
    done = system.run("env", "HOME=/root", *command, check=check)
    match = re.search(r"changed=(\d+) .* failed=(\d+)", done.stdout)
    assert match, done.stdout + done.stderr
    assert (match[2] == "0") == check, done.stdout
    return int(match[1]), done.stdout


def stacks(system: System) -> dict[str, str]:
    """The files of /etc/pam.d."""
    return {path.name: path.read_text() for path in (system.root / "etc/pam.d").iterdir()}


SERVICES = '{"pykeyinit_services": ["sshd", "login"]}'


def test_it_is_done_once_and_undone_to_the_byte(fleet: System) -> None:
    before = stacks(fleet)
    changed, text = play(fleet, SERVICES)
    assert changed >= 3
    assert "Check the keyrings of the logins" in text
    ours = {name for name, text in stacks(fleet).items() if "pam_pykeyinit.so" in text}
    assert ours == {"sshd", "login"}

    changed, text = play(fleet, SERVICES)
    assert changed == 0
    assert "Check the keyrings of the logins" not in text

    changed, _ = play(fleet, '{"pykeyinit_disabled_services": ["login"]}')
    assert changed == 1
    assert stacks(fleet)["login"] == before["login"]

    changed, _ = play(fleet, "pykeyinit_state=absent")
    assert changed == 2  # sshd, and the package
    assert stacks(fleet) == before
    state = ("dpkg-query", "-W", "-f", "${db:Status-Status}", "libpam-pykeyinit")
    assert fleet.run(*state, check=False).stdout != "installed"
    assert play(fleet, "pykeyinit_state=absent")[0] == 0


def test_what_check_finds_fails_the_play(fleet: System) -> None:
    twice = fleet.root / "etc/pam.d/somebodys"
    twice.write_text(
        "session optional pam_keyinit.so force\nsession optional pam_pykeyinit.so force\n"
    )
    _, text = play(fleet, SERVICES, check=False)
    assert "twice" in text
    twice.unlink()
    play(fleet, "pykeyinit_state=absent")


def test_a_state_that_is_none(fleet: System) -> None:
    _, text = play(fleet, "pykeyinit_state=gone", check=False)
    assert "pykeyinit_state is present or absent, not gone" in text


def test_with_check_it_says_what_it_would_do(fleet: System) -> None:
    before = stacks(fleet)
    for copied in (fleet.root / "var/cache").glob("*.deb"):
        copied.unlink()
    assert play(fleet, SERVICES, "--check")[0] == 1  # on a bare host: the package
    assert stacks(fleet) == before
    play(fleet, '{"pykeyinit_services": ["login"]}')
    enabled = stacks(fleet)
    assert play(fleet, SERVICES, "--check")[0] == 1  # sshd
    assert play(fleet, '{"pykeyinit_services": ["login"]}', "--check")[0] == 0
    assert stacks(fleet) == enabled
    play(fleet, "pykeyinit_state=absent")
    assert stacks(fleet) == before
