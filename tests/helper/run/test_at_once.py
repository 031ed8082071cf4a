"""`--session name=`: programs that are started at the same instant share one keyring."""

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, UID, is_dead
from pam_pykeyinit.kernel import keyctl
from pam_pykeyinit.policies import lock
from support import world

pytestmark = pytest.mark.privileged


def sessions(*words: str, by: int = 0) -> set[str]:
    """The session keyrings of four programs that are started concurrently."""
    folder = world.folder()
    assert folder
    program = folder / "at_once.py"
    shutil.copy(Path(__file__).with_name("at_once.py"), program)
    command = ["/usr/bin/python3", "-I", str(program), str(by), "4", *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.splitlines()) == 4
    return set(run.stdout.splitlines())


def test_of_root_they_take_turns_with_each_other() -> None:
    assert len(sessions(f"--user={UID}:{UID}", "--session=name=at once")) == 1


def test_of_root_itself_as_well() -> None:
    assert len(sessions("--session=name=at once")) == 1


def test_of_an_ordinary_user_the_oldest_is_found() -> None:
    assert len(sessions("--session=name=at once", by=int(UID))) == 1


@contextlib.contextmanager
def taken(uid: int, name: str) -> Iterator[None]:
    """Another process holds the lock, as a login of the user does."""
    folder = Path(lock.FOLDER)
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / lock.file_name(uid, name)).open("w") as file:
        keyctl.lock(file.fileno())
        yield


def test_it_is_the_turn_of_logins() -> None:
    """A holder that never continues delays the start by one second, and does not stop it."""
    command = [HELPER, "run", f"--user={UID}:{UID}", "--session=name=turn", "--debug", "true"]
    with taken(int(UID), "turn"):
        waited = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"/run/pam_pykeyinit/{lock.file_name(int(UID), 'turn')}: EAGAIN: " in waited.stderr
    assert "warning" not in waited.stderr
    alone = subprocess.run(command, capture_output=True, text=True, check=True)
    assert lock.FOLDER not in alone.stderr


def test_a_named_keyring_is_revoked_only_by_who_created_it() -> None:
    """Not at the end of another program that has joined it meanwhile."""
    run = (HELPER, "run", "--revoke-on-exit", "--session=name=first")
    show = "keyctl rdescribe @s; keyctl show -x @s"
    inner = ("sh", "-c", f'"$@" && {show}', "-", *run, "sh", "-c", show)
    done = subprocess.run(
        [*run, f"--user={UID}:{UID}", *inner], capture_output=True, text=True, check=True
    )
    assert done.stdout.count(";first\n") == 2, done
    shown = re.findall("(?m)^(0x[0-9a-f]+) .* keyring: first$", done.stdout)
    assert len(shown) == 2
    assert len(set(shown)) == 1
    assert is_dead(shown[0])
