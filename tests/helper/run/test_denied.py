"""Refusals of the kernel: a warning, and the program still runs, except with --strict."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import GREEDY, HELPER, Stage
from support import world

pytestmark = pytest.mark.privileged

ANY, GET_ID, JOIN, LINK = "any", "0", "1", "8"


ERRORS = ("ENOSYS", "EPERM", "EACCES", "EDQUOT")


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    ("found", "operation"),
    [
        ("own bob", ANY),
        ("own bob", GET_ID),
        ("own bob", LINK),
        ("revoked bob", JOIN),
        ("us {}", JOIN),
        ("us {}", LINK),
    ],
)
@pytest.mark.parametrize("target", ["root", "alice"])
def test_every_denial(stage: Stage, error: str, found: str, operation: str, target: str) -> None:
    first = f"{found.format(target)} deny {error} {operation}"
    command = (HELPER, "run", f"--user={target}")
    started = stage.start(first, *command, "id", "-un")
    assert (started.code, started.output) == (0, f"{target}\n")
    warnings = [line for line in started.errors.splitlines() if "warning: " in line]
    assert warnings
    assert all(f": {error}: " in line for line in warnings)

    assert stage.start(first, *command, "--quiet", "id", "-un").errors == ""

    strict = stage.start(first, *command, "--strict", "id", "-un")
    assert (strict.code, strict.output) == (125, "")
    assert strict.errors.splitlines()[-1].endswith("not started because of --strict")


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("session", ["fallback", "new", "user-session", "name=left"])
def test_nothing_is_started_in_a_keyring_of_somebody_elses_that_cannot_be_left(
    stage: Stage, error: str, session: str
) -> None:
    options = () if session == "fallback" else (f"--session={session}",)
    first = f"own bob deny {error} {JOIN}"
    started = stage.start(first, HELPER, "run", *options, "--user=alice", "id")
    assert (started.code, started.output) == (125, "")
    assert started.errors.count("\n") == 1, started.errors
    assert f"of uid {world.uid('bob')} cannot be left, and nothing was started" in started.errors
    kept = stage.start(first, HELPER, "run", "--session=keep", "--user=alice", "id", "-un")
    assert (kept.code, kept.output) == (0, "alice\n")


def test_where_a_new_one_is_refused_the_user_session_keyring_serves(stage: Stage) -> None:
    for found in ("none", "us alice"):
        started = stage.run(f"{found} deny EDQUOT {JOIN}", "--user=alice", "--tag=in @us")
        assert started.reported["is_user_session"]
        assert "no new session keyring: the user-session keyring is used" in started.errors
        assert "pykeyinit-helper:in @us" in started.links


@pytest.fixture
def greedy() -> Iterator[str]:
    """A user whose quota is used up, and freed afterwards."""
    yield f"--user={GREEDY}:{GREEDY}"
    as_greedy = ["setpriv", f"--reuid={GREEDY}", f"--regid={GREEDY}", "--clear-groups"]
    subprocess.run([*as_greedy, "keyctl", "clear", "@u"], check=True)
    subprocess.run([*as_greedy, "keyctl", "setperm", "@us", "0x1f3f0000"], check=True)
    for _ in range(200):  # the kernel frees it with a delay
        if _keys_used() < 10:
            return
        time.sleep(0.05)
    raise AssertionError(_keys_used())


def _keys_used() -> int:
    rows = [row.split() for row in Path("/proc/key-users").read_text().splitlines()]
    return sum(int(row[3].split("/")[0]) for row in rows if row[0] == f"{GREEDY}:")


def test_a_quota_that_is_really_used_up(stage: Stage, greedy: str) -> None:
    """The user-session keyring exists already, so the fallback to it needs no quota."""
    started = stage.run(f"own root fill {GREEDY}", greedy)
    assert "EDQUOT" in started.errors
    assert "kernel.keys.maxkeys" in started.errors
    assert started.reported["is_user_session"]
    assert started.description[1] == int(GREEDY)
    strict = stage.run("asis", greedy, "--session=new", "--strict")
    assert strict.code == 125


@pytest.mark.parametrize("session", ["fallback", "new", "name=no quota"])
@pytest.mark.usefixtures("greedy")
def test_where_the_user_keyrings_cannot_be_made(stage: Stage, session: str) -> None:
    """A user namespace has its own user keyrings: the kernel creates them on request."""
    world.need_user_namespaces()
    as_greedy = ("setpriv", f"--reuid={GREEDY}", f"--regid={GREEDY}", "--clear-groups")
    in_a_namespace = (*as_greedy, "unshare", "-Ur")
    options = () if session == "fallback" else (f"--session={session}",)
    started = stage.start(
        f"none fill {GREEDY}", *in_a_namespace, HELPER, "run", *options, "echo", "it runs"
    )
    assert (started.code, started.output) == (0, "it runs\n")
    assert "revoked" not in started.errors
    assert (
        "ENOKEY: the session keyring does not lead to the user keyring, which cannot be made"
        in started.errors
    )
    assert "(the key quota may be used up: see /proc/key-users, kernel.keys" in started.errors

    adopt = stage.start("asis", *in_a_namespace, "sh", "-c", f"{HELPER} adopt; echo $?")
    assert "where there was none" in adopt.output, adopt.errors
    assert "revoked" not in adopt.output
    assert "The user keyring (@u) is not found through it" in adopt.output
    assert adopt.output.endswith("1\n")


def test_who_uses_up_the_quota_does_not_get_roots_keys_by_it(stage: Stage, greedy: str) -> None:
    """Every call that is charged to the user is refused: root's keyring is left first."""
    started = stage.run(f"own root hide {GREEDY}", greedy)
    assert "EDQUOT" in started.errors
    assert started.links == []
