"""No program starts in a keyring of another user, and each one finds its user's keys."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from helper.conftest import AS, HELPER, UID, Stage, Started
from helper.run.test_api import CALL
from support import world

pytestmark = pytest.mark.privileged

AS_CAROL = ("setpriv", "--reuid=carol", "--regid=carol", "--clear-groups")
NAME = f"planted-{os.getpid()}"
KEY = f"planted-key-{os.getpid()}"
BY_OTHERS = "0x3f0b0b0b"  # view, read and search for all users


@contextlib.contextmanager
def planted(user: str, mask: str, name: str = NAME) -> Iterator[None]:
    """Another user holds a session keyring of that name, open to others, with a key in it."""
    script = f"keyctl add user {KEY} evil @s >/dev/null; keyctl setperm @s {mask}; echo; read gone"
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    holder = subprocess.Popen(
        [*become, "keyctl", "session", name, "sh", "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout
    assert holder.stdin
    holder.stdout.readline()
    yield
    holder.communicate(b"\n")


@contextlib.contextmanager
def quota_used_up(stage: Stage, *, hide: bool) -> Iterator[None]:
    as_user = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "keyctl"]
    stage.start(f"none {'hide' if hide else 'fill'} {UID}", "true")
    yield
    subprocess.run([*as_user, "clear", "@u"], check=True)
    subprocess.run([*as_user, "setperm", "@us", "0x1f3f0000"], check=True)


def by_run(stage: Stage, session: str, *command: str) -> Started:
    return stage.start("none", *AS[:2], AS[-1], f"--session={session}", *command)


def by_api(stage: Stage, session: str) -> list[object]:
    become = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
    program = ("/usr/bin/python3", "-I", "-c", CALL, repr((session,)), "{}")
    read: list[object] = json.loads(stage.start("none", *become, *program).output)
    return read


@pytest.mark.usefixtures("_no_keys")
def test_a_name_that_somebody_made_first_and_no_quota_for_another(stage: Stage) -> None:
    with planted("alice", BY_OTHERS):
        with quota_used_up(stage, hide=False):
            request = by_run(stage, f"name={NAME}", "keyctl", "request", "user", KEY)
            tell = by_run(stage, f"name={NAME}", *stage.tell)
            api = by_api(stage, f"name={NAME}")
        assert "Required key not available" in request.errors
        assert f"belongs to uid {world.uid('alice')}: the user-session keyring" in tell.errors
        assert tell.reported["is_user_session"]
        assert api[:2] == [tell.reported["session"], "user-session"]


@pytest.mark.usefixtures("_no_keys")
def test_where_not_even_that_can_be_had_nothing_is_started(stage: Stage) -> None:
    with planted("alice", BY_OTHERS), quota_used_up(stage, hide=True):
        started = by_run(stage, f"name={NAME}", "id")
        api = by_api(stage, f"name={NAME}")
    assert (started.code, started.output) == (125, "")
    assert "cannot be left (keyctl(JOIN_SESSION_KEYRING): EDQUOT); nothing was" in started.errors
    assert api[0] == "SessionKeyringError"
    assert "cannot be left" in str(api[1])


@pytest.mark.parametrize("mask", ["0x3f1b0001", "0x3f1b0800", "0x3f1b0b0b"])
def test_a_keyring_of_ones_own_that_others_may_use_is_left(stage: Stage, mask: str) -> None:
    name = f"{NAME}-{mask}"  # its own: the kernel takes some time to destroy one
    with planted("carol", mask, name):
        started = stage.run("none", f"--session=name={name}", "--user=carol")
    assert f"gives rights to others ({mask[2:]}): a new one without a name" in started.errors
    assert started.description[4] == "_ses"


LOOK = (
    'id() { keyctl show "$1" | sed -n "2s/^ *\\([0-9]*\\).*/\\1/p"; }; key=$(keyctl add user '
    f"{KEY} secret @u); [ $(keyctl request user {KEY}) = $key ] && id @s && keyctl unlink $key @u"
)


@pytest.fixture
def _roots_keyring_is_tidied() -> Iterator[None]:
    """What an option adds to root's user-session keyring would outlive the tests."""
    yield
    added = ("keyctl unlink %user:pykeyinit-helper:x @us", "keyctl unlink %:_persistent.0 @us")
    for command in added:
        subprocess.run(command.split(), capture_output=True, check=False)


@pytest.mark.usefixtures("_roots_keyring_is_tidied")
@pytest.mark.parametrize("session", ["fallback", "new", "user-session", "keep"])
@pytest.mark.parametrize("option", ["--tag=x", "--link=persistent", "--link=user-session,user"])
@pytest.mark.parametrize("target", ["carol", "root"])
def test_no_option_cuts_off_the_keys_of_the_user(
    stage: Stage, session: str, option: str, target: str
) -> None:
    options = () if session == "fallback" else (f"--session={session}",)
    first = "none" if target == "root" else f"us {target}"
    command = (HELPER, "run", *options, option, f"--user={target}", "sh", "-c", LOOK)
    started = stage.start(first, *command)
    assert (started.code, started.errors) == (0, "")
    assert started.output.strip().isdigit()


@pytest.mark.parametrize("session", ["fallback", "user-session", "keep"])
def test_the_api_reports_what_is_so(stage: Stage, session: str) -> None:
    script = (
        "import sys; from pykeyinit_helper.api import ensure_session_keyring as ensure\n"
        "from pam_pykeyinit.kernel import keyctl, syscalls\n"
        "found = ensure(sys.argv[1], tag='mydaemon', link=['user'])\n"
        "assert found.serial == syscalls.get_keyring_id(-3), found\n"
        "assert not found.messages, found\n"
        "print(found.outcome, keyctl.describe(-3)[4])\n"
    )
    started = stage.start("us carol", *AS_CAROL, "/usr/bin/python3", "-Ic", script, session)
    name = f"_uid_ses.{world.uid('carol')}"
    wanted = "new _ses" if session == "fallback" else f"user-session {name}"
    assert (started.output.strip(), started.errors) == (wanted, "")
