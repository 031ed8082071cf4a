"""Another user creates the name of a shared session keyring first, with access for all users."""

import os
from pathlib import Path

import keyutils
import pytest
from policies import squatter

from attacks import undefended
from pam_pykeyinit.kernel import keyctl, syscalls
from support import world
from support.child import in_child
from support.drive import Driver
from support.journal import Journal

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

UNDEFENDED = ["what was joined is looked at", "and is looked at again"]


def _finds_her_key(keyring: int) -> bool:
    """Whether bob possesses alice's key, which she added to her session keyring."""
    squatter.become("bob")
    syscalls.join_anonymous_session()
    keyctl.link(keyring, syscalls.SESSION_KEYRING)
    return keyutils.search(syscalls.SESSION_KEYRING, b"attack:hers") is not None


def _attacked(driver: Driver) -> tuple[bool, bool, int]:
    """Whether she is in his keyring, whether he finds her key, and the owner of her keyring."""
    name = f"squatted-{os.getpid()}-{driver.scratch.name}"
    services = driver.services(s=f"session required pam_pykeyinit.so force name={name}")
    with squatter.squatting("bob", name) as his:
        opened = driver.run(services, "start 0 s alice\nopen 0\nadd attack:hers\n").steps[1]
        assert opened.code == 0
        found = in_child(lambda: _finds_her_key(his))
    return opened.session["serial"] == his, found, opened.fields[1]


@pytest.mark.parametrize(("without", "succeeds"), [([], False), (UNDEFENDED, True)])
def test_who_made_the_name_first_reads_nothing(
    without: list[str], succeeds: bool, pamdrive: Path, tmp_path: Path, journal: Journal
) -> None:
    driver = undefended.driver(tmp_path, pamdrive, *without)
    whose = world.uid("bob" if succeeds else "alice")
    assert _attacked(driver) == (succeeds, succeeds, whose)
    assert [line.level for line in journal.ours()] == ["ALERT"] * (not succeeds)
