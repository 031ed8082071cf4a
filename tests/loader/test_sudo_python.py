"""sudo with Python plugins: each has a sub-interpreter, which is current when PAM is called."""

import subprocess

import pytest
from loader import sudo
from loader.setuid import STACK

from support import world
from support.drive import Driver
from support.journal import Journal

# Who builds it takes long, and the others would only wait.
pytestmark = [pytest.mark.privileged, pytest.mark.lengthy, pytest.mark.xdist_group("sudo")]

PLUGINS = [(), ("approval",), ("io",), ("audit",), ("audit", "approval", "io")]
SEEN = ["sh", "-c", "id -u; keyctl show @s | tail -n +2"]


def _seen(module: str, plugins: tuple[str, ...], driver: Driver) -> list[str]:
    """The id and keyrings of bob, to whom alice changed; without serial numbers."""
    start = sudo.command(driver, STACK.format(loader=module), plugins)
    run = subprocess.run(
        # A sudo that hangs blocks signals: only SIGKILL ends it.
        ["timeout", "--signal=KILL", "30", *start, "-u", "bob", *SEEN],
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    uid, *keyrings = run.stdout.splitlines()
    return [uid, *(" ".join(line.split()[1:]) for line in keyrings)]


@pytest.mark.parametrize("plugins", PLUGINS, ids="+".join)
def test_a_sudo_with_python_plugins(
    plugins: tuple[str, ...], driver: Driver, journal: Journal
) -> None:
    ours = _seen("pam_pykeyinit.so", plugins, driver)

    assert ours == _seen(world.ORACLE, plugins, driver)
    uid, session, user = ours
    assert uid == str(world.uid("bob"))
    assert session.split()[-1] == "_ses"
    assert f" {uid} " in session
    assert user.endswith(f"_uid.{uid}")
    assert journal.ours() == []
