"""The fallback: first @s x target user x --session, every cell on the real kernel."""

import itertools

import pytest

from helper.conftest import HELPER, Stage
from support import world

pytestmark = pytest.mark.privileged

FIRST = (
    "none", "us root", "us alice", "own root", "own alice", "own bob",
    "revoked root", "revoked alice", "expired alice", "invalidated alice",
)  # fmt: skip
TARGETS = ("root", "alice")
SESSIONS = ("fallback", "keep", "new", "user-session", "name=daemon")


def state(first: str, target: str) -> str:
    """The state of the first session keyring for the target user."""
    kind, _, owner = first.partition(" ")
    if kind == "none" or (kind == "us" and owner == target):
        return "user-session"
    if kind in ("revoked", "expired", "invalidated"):
        return "dead"
    return "own" if owner == target else "foreign"


# The program's session keyring.  This is the table of pykeyinit-helper(8), written a second time,
# not taken from the code.
WANTED = {
    "fallback": {
        "user-session": "stand-in",
        "own": "kept",
        "foreign": "stand-in",
        "dead": "stand-in",
    },  # fmt: skip
    "keep": {"user-session": "@us", "own": "kept", "foreign": "kept", "dead": "dead"},
    "new": dict.fromkeys(("user-session", "own", "foreign", "dead"), "new"),
    "user-session": dict.fromkeys(("user-session", "own", "foreign", "dead"), "@us"),
    "name=daemon": dict.fromkeys(("user-session", "own", "foreign", "dead"), "named"),
}


def wanted(first: str, target: str, session: str) -> str:
    """The documented outcome of a cell."""
    return WANTED[session][state(first, target)]


def links_of(outcome: str, uid: int) -> list[str]:
    """The required links of a new keyring."""
    user, user_session = f"_uid.{uid}", f"_uid_ses.{uid}"
    return [user, user_session] if outcome == "stand-in" else [user]


@pytest.mark.parametrize(
    ("first", "target", "session"), list(itertools.product(FIRST, TARGETS, SESSIONS))
)
def test_every_cell(stage: Stage, first: str, target: str, session: str) -> None:
    options = () if session == "fallback" else (f"--session={session}",)
    started = stage.run(first, *options, "--user", target)
    reported, outcome = started.reported, wanted(first, target, session)
    uid, gid = world.uid(target), world.gid(target)
    assert reported["ids"] == [uid] * 3 + [gid] * 3

    if outcome == "dead":
        assert reported["error"] in ("EKEYREVOKED", "EKEYEXPIRED", "ENOKEY")
    elif outcome == "@us":
        assert reported["is_user_session"]
        assert started.description[:2] == ("keyring", uid)
    elif outcome == "kept":
        owner = world.uid(first.split()[1])
        assert started.description[1] == owner
        name = f"_uid_ses.{owner}" if first.startswith("us") else "_ses"
        assert started.description[4] == name
    elif outcome == "named":
        assert started.description == ("keyring", uid, gid, "3f1b0000", "daemon")
        assert f"_uid.{uid}" in started.links
    else:
        assert started.description == ("keyring", uid, gid, "3f030000", "_ses")
        assert started.links == links_of(outcome, uid)

    said = started.errors.splitlines()
    in_the_way = state(first, target) in ("foreign", "dead")
    assert len(said) == (1 if in_the_way else 0), said
    if in_the_way:
        assert ("is kept" if session == "keep" else "was replaced by") in said[0]


def test_without_user_the_target_is_the_caller(stage: Stage) -> None:
    program = ("setpriv", "--reuid=alice", "--regid=alice", "--clear-groups")
    command = (*program, HELPER, "run", *stage.tell)
    started = stage.start("own root", *command)
    assert started.links == links_of("stand-in", world.uid("alice"))
    assert started.reported["ids"][:3] == [world.uid("alice")] * 3
    kept = stage.start("own alice", *command)
    assert kept.description[1] == world.uid("alice")
    assert kept.errors == ""


@pytest.mark.parametrize(
    ("link", "linked"),
    [
        ("none", []),
        ("user", ["_uid.{}"]),
        ("user-session", ["_uid_ses.{}"]),
        ("user,user-session", ["_uid.{}", "_uid_ses.{}"]),
        ("persistent,user", ["_persistent.{}", "_uid.{}"]),
    ],
)
def test_what_is_linked(stage: Stage, link: str, linked: list[str]) -> None:
    for first in ("own root", "unlinked alice"):  # one that is created, one that is kept
        started = stage.run(first, "--user=alice", f"--link={link}")
        assert started.links == [name.format(world.uid("alice")) for name in linked], first


def test_nothing_is_put_into_a_foreign_keyring(stage: Stage) -> None:
    started = stage.run(
        "unlinked bob", "--session=keep", "--user=alice", "--link=user", "--tag=spool"
    )
    assert started.description[1] == world.uid("bob")
    assert started.links == []
    assert "nothing is added to it" in started.errors


def test_a_tag_is_left(stage: Stage) -> None:
    started = stage.run("none", "--user=alice", "--session=new", "--tag", "mail spool")
    assert "pykeyinit-helper:mail spool" in started.links


def test_a_name_is_found_again(stage: Stage) -> None:
    again = ("run", "--session=name=pair", *stage.tell)
    program = ("sh", "-c", '"$@"; setpriv --no-new-privs "$@"', "-")
    started = stage.run("none", "--user=carol", "--session=name=pair")
    one_by_one = stage.start(
        "none",
        HELPER,
        "run",
        "--user=carol",
        "--session=name=pair",
        "--",
        *program,
        HELPER,
        *again,
    )
    assert started.description[4] == "pair"
    sessions = {
        line.split('"session": ')[1].split(",")[0] for line in one_by_one.output.splitlines()
    }
    assert len(sessions) == 1


def test_a_name_that_another_user_made_first_is_left(stage: Stage) -> None:
    trap = (
        "keyctl setperm @s 0x3f1f1f1f;"
        'exec setpriv --reuid=alice --regid=alice --clear-groups "$@"'
    )
    started = stage.start(
        "none", "keyctl", "session", "trap", "sh", "-c", trap, "-",
        HELPER, "run", "--session=name=trap", *stage.tell,
    )  # fmt: skip
    lines = started.output.splitlines()
    owner = f"{world.uid('alice')};{world.gid('alice')}"
    assert f'"description": "keyring;{owner};3f030000;_ses"' in lines[-1]
    assert "belongs to uid 0" in started.errors


def test_who_has_no_number_in_a_user_namespace_is_not_nobody(stage: Stage) -> None:
    """There the kernel shows nobody's number for every owner that it does not map."""
    world.need_user_namespaces()
    as_bob = ("setpriv", "--reuid=bob", "--regid=bob", "--clear-groups")
    as_nobody = (*as_bob, "unshare", "--user", "--map-user=65534", "--map-group=65534")
    inherited = stage.start("own alice", *as_nobody, *stage.tell)
    assert (inherited.description[1], inherited.links) == (65534, [f"_uid.{world.uid('alice')}"])

    started = stage.start("own alice", *as_nobody, HELPER, "run", *stage.tell)

    assert sorted(started.links) == ["_uid.65534", "_uid_ses.65534"]
    assert "somebody unknown" in started.errors
