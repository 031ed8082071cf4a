"""The world of the tests: build-aux/world.sh."""

import grp
import subprocess

import pytest

from support import world

pytestmark = pytest.mark.privileged


def test_its_users_are_back_after_a_group_was_added_to_the_machine() -> None:
    """groupadd(8) outside the world unmounts /etc/group in it; here umount(8) does."""
    subprocess.run(["umount", "/etc/group"], check=True)
    with pytest.raises(KeyError):
        grp.getgrnam("alice")
    world.keep_users()
    assert grp.getgrnam("alice").gr_gid == world.first_uid() + 50
