"""A user becomes root with a session keyring of their own: keys planted for root to find.

su and sudo keep the caller's session keyring by design.  With `force` root gets a keyring of
its own; without it root finds the planted key, as with pam_keyinit.
"""

import subprocess
from pathlib import Path

import pytest
from loader.setuid import STACK

from support import mounts, world
from support.drive import Driver

pytestmark = pytest.mark.privileged

# As the user: plant a key, become root with su, look for the key; then look again as the user.
TRY = (
    "keyctl add user attack:planted x @s >/dev/null; "
    "su root -c 'keyctl request user attack:planted'; echo $?; "
    "keyctl request user attack:planted >/dev/null; echo $?"
)


def _planted(module: str, options: str, driver: Driver) -> tuple[bool, bool]:
    """Whether root finds the key, and whether the user still finds it afterwards."""
    stack = STACK.format(loader=module).replace("force revoke", options)
    services = driver.services(su=stack)
    start = mounts.wrapper(driver.scratch / "try", {"/etc/pam.d": services})
    as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
    run = subprocess.run(
        [start, *as_alice, "keyctl", "session", "-", "sh", "-c", TRY],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = run.stdout.split()
    return lines[-2] == "0", lines[-1] == "0"


@pytest.mark.parametrize("module", ["pam_pykeyinit.so", world.ORACLE])
@pytest.mark.parametrize(("options", "found"), [("force revoke", False), ("revoke", True)])
def test_root_does_not_find_what_a_user_planted(
    module: str, options: str, found: bool, driver: Driver
) -> None:
    """And logout never revokes the keyring that root found in place."""
    assert _planted(module, options, driver) == (found, True)


def test_it_is_revoked_by_nobody_else(driver: Driver, tmp_path: Path) -> None:
    """The user's own keyring survives any number of su sessions with `force`."""
    for _ in range(3):
        assert _planted("pam_pykeyinit.so", "force revoke", driver) == (False, True)
