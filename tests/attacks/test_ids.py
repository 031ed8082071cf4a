"""Users with invalid ids, and processes that are root only in a user namespace."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks import undefended
from support import mounts, world
from support.drive import Driver, Outcome
from support.journal import Journal

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

SUCCESS, SESSION_ERR = 0, 14
NO_ID = 0xFFFFFFFF  # -1, which means "unchanged" to setresuid(2)
SCRIPT = "start 0 s mallory\nopen 0\n"


def _opened(
    module: str, uid: int, gid: int, without: list[str], pamdrive: Path, folder: Path
) -> Outcome:
    """Open a session of a user with these ids."""
    passwd = folder / "passwd"
    entry = f"mallory:x:{uid}:{gid}::/:/bin/sh\n"
    passwd.write_text(Path("/etc/passwd").read_text() + entry)
    driver = undefended.driver(folder, pamdrive, *without, passwd=passwd)
    return driver.run(driver.services(s=f"session required {module} force revoke"), SCRIPT)


@pytest.mark.parametrize("ids", [(NO_ID, 66000), (66000, NO_ID), (NO_ID, NO_ID)])
def test_an_id_that_is_none_does_not_stand_for_roots(
    ids: tuple[int, int], pamdrive: Path, tmp_path: Path, journal: Journal
) -> None:
    ours = _opened("pam_pykeyinit.so", *ids, [], pamdrive, tmp_path)

    assert ours.codes() == [SESSION_ERR]
    assert ours.steps[1].session["serial"] != ours.steps[0].session["serial"]
    assert ours.steps[1].session["links"] == []
    assert ours.steps[1].ids == [0] * 6
    assert ["EINVAL" in line.text for line in journal.ours()] == [True]


@pytest.mark.parametrize(
    ("module", "without"), [("pam_pykeyinit.so", ["no id is -1"]), (world.ORACLE, [])]
)
def test_without_that_he_is_given_roots_keys(
    module: str, without: list[str], pamdrive: Path, tmp_path: Path
) -> None:
    opened = _opened(module, NO_ID, 66000, without, pamdrive, tmp_path)
    assert opened.codes() == [SUCCESS]
    assert opened.steps[1].fields[1] == 0
    assert any("_uid.0" in link for link in opened.steps[1].session["links"])


def _in_namespace(folder: Path, pamdrive: Path) -> Driver:
    """A driver that alice starts as root of a user namespace with only her own id."""
    world.need_user_namespaces()
    as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
    program = shutil.copy(pamdrive, folder)  # where she can read it
    command = [*as_alice, "unshare", "--user", "--map-root-user", program]
    return Driver(mounts.wrapper(folder / "drive", {}, *command), folder)


@pytest.fixture
def roots_key() -> Iterator[str]:
    """The name of a key in root's user keyring, which all worlds share."""
    name = f"attack:{os.getpid()}"
    subprocess.run(["keyctl", "add", "user", name, "secret", "@u"], check=True)
    yield name
    subprocess.run(["keyctl", "purge", "user", name], check=True)


@pytest.mark.parametrize("module", ["pam_pykeyinit.so", world.ORACLE])
def test_roots_name_in_a_namespace_is_not_root(
    module: str, pamdrive: Path, driver: Driver, roots_key: str
) -> None:
    """Her session of "root" there has her own keyring, without root's keys.

    The control is the same outside, where root's user keyring is linked.
    """
    line = f"session required {module} force revoke"
    for drive, found in (
        (_in_namespace(driver.scratch, pamdrive), "ENOKEY"),
        (driver, "found"),
    ):
        script = f"start 0 s root\nopen 0\nsearch {roots_key}\n"
        outcome = drive.run(drive.services(s=line), script)
        assert outcome.codes() == [SUCCESS]
        assert outcome.hygiene == [[found]]


def test_a_user_who_has_no_number_in_a_namespace_is_refused(
    pamdrive: Path, driver: Driver, journal: Journal
) -> None:
    """bob has no id in alice's namespace; the control is alice's own name for it, root."""
    inside = _in_namespace(driver.scratch, pamdrive)
    for module in (world.ORACLE, *world.LOADERS.values()):
        services = inside.services(s=f"session required {module} force revoke")
        assert inside.run(services, "start 0 s bob\nopen 0\n").codes() == [SESSION_ERR], module
        assert inside.run(services, "start 0 s root\nopen 0\n").codes() == [SUCCESS], module
    assert ["EINVAL" in line.text for line in journal.ours()] == [True] * 2
