"""The profile of pam-auth-update(8) that the package brings: off, on, and gone with it."""

from pathlib import Path

import pytest

from support import world

from .system import System

pytestmark = pytest.mark.privileged


def test_the_profile_is_off_until_it_is_asked_for_and_leaves_no_line(
    system: System, package: Path
) -> None:
    if not (world.ROOT / "conf/debian/pykeyinit").exists():
        pytest.skip("this tree has no profile")
    stack = system.root / "etc/pam.d/common-session"
    before = stack.read_text()
    system.run("dpkg", "--install", system.take(package))
    assert stack.read_text() == before
    system.run("pam-auth-update", "--package", "--enable", "pykeyinit")
    assert "pam_pykeyinit.so" in stack.read_text()
    system.run("dpkg", "--install", system.take(package))  # an upgrade keeps it
    assert "pam_pykeyinit.so" in stack.read_text()
    removed = system.run("dpkg", "--remove", "libpam-pykeyinit")
    assert "pam_pykeyinit" not in stack.read_text()
    assert "do nothing from now on" not in removed.stderr
