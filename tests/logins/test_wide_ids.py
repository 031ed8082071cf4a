"""Users whose ids need all 32 bits: each has a session keyring of their own, and never root's.

Significant above all where a C long has 32 bits.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from logins.people import pam_services, stack

from support import mounts, world
from support.journal import Journal

pytestmark = pytest.mark.privileged

WIDE = (2**31 - 1, 2**31, 2**32 - 2)
ORDINARY = world.first_uid() + 60  # of this world
IDS = {
    **{f"uid {uid}": (uid, ORDINARY) for uid in WIDE},
    **{f"gid {gid}": (ORDINARY + number, gid) for number, gid in enumerate(WIDE)},
    "both": (2**31 + 7, 2**32 - 3),
}
OPTIONS = ["force revoke", "force revoke tag link=user,persistent", "force name=%u-wide"]
KEY = f"attack:roots own, {os.getpid()}"  # other worlds share root's keyrings


@pytest.fixture
def _root_has_a_key() -> Iterator[None]:
    """In root's user keyring, which is searched from root's session keyring."""
    subprocess.run(["keyctl", "add", "user", KEY, "secret", "@u"], check=True)
    yield
    subprocess.run(["keyctl", "purge", "user", KEY], check=True)


def _passwd(folder: Path, uid: int, gid: int) -> Path:
    passwd = folder / "passwd"
    entry = f"wide:x:{uid}:{gid}::/:/bin/sh\n"
    passwd.write_text(Path("/etc/passwd").read_text() + entry)
    return passwd


def _seen(module: str, options: str, ids: tuple[int, int], scratch: Path) -> list[str]:
    """In a runuser session: ids, session keyring, and the result of a search for root's key."""
    folder = scratch / module
    folder.mkdir()
    passwd = _passwd(folder, *ids)
    look = f"id -u; id -g; keyctl rdescribe @s; keyctl request user '{KEY}' 2>&1"
    with pam_services(folder / "pam.d", runuser=stack(f"{module} {options}")):
        start = mounts.wrapper(folder / "start", {"/etc/passwd": passwd})
        run = subprocess.run(
            [start, "runuser", "--shell=/bin/sh", "wide", "-c", look],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    return run.stdout.splitlines()


@pytest.mark.usefixtures("_root_has_a_key")
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_a_user_with_wide_ids(
    ids: tuple[int, int],
    options: str,
    loader: str,
    scratch: Path,
    journal: Journal,
) -> None:
    uid, gid, keyring, key = _seen(loader, options, ids, scratch)
    theirs = _seen(world.ORACLE, "force revoke", ids, scratch)

    assert [int(uid), int(gid)] == [*ids]
    kind, owner, group, _ = keyring.split(";", 3)
    assert (kind, int(owner) % 2**32, int(group) % 2**32) == ("keyring", *ids)
    assert [kind, owner, group] == theirs[2].split(";")[:3]
    assert "Required key not available" in key
    assert "Required key not available" in theirs[3]
    assert journal.ours() == []


@pytest.mark.usefixtures("_root_has_a_key")
def test_root_finds_it(scratch: Path) -> None:
    """The key exists: the test above can fail."""
    assert (
        "Required key not available" not in _seen(world.ORACLE, "force revoke", (0, 0), scratch)[3]
    )
