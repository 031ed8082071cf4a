"""`sessions`, compared with the real keyrings of real users."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from helper.conftest import HELPER
from helper.view import held
from support import world

pytestmark = pytest.mark.privileged

UID = world.first_uid() + 30
OTHER = world.first_uid() + 31
# No keys of other tests are waiting for collection.
COUNTED, NESTED, HIDING = (world.first_uid() + each for each in (34, 35, 36))
LINK = "keyctl link @u @s"


def test_every_state() -> None:
    with (
        held.session(UID, LINK) as live,
        held.session(UID, "keyctl timeout @s 200") as expiring,
        held.session(UID, "keyctl timeout @s 1; sleep 1.2") as expired,
        held.session(UID, f"{LINK}; keyctl revoke @s") as revoked,
        held.session(OTHER, name="mine own") as named,
    ):
        found = held.told()
        sessions = {each["serial"]: each for each in held.of(UID, found)["sessions"]}
        (other,) = held.of(OTHER, found)["sessions"]
    states = [sessions[serial]["state"] for serial in (live, expiring, expired, revoked)]
    assert states == ["live", "expiring", "expired", "revoked"]
    assert re.fullmatch(r"3m", sessions[expiring]["expires"])
    assert [sessions[each]["expires"] for each in (live, expired)] == ["never", "expired"]
    assert [sessions[each]["keys"] for each in (live, expiring, revoked)] == [1, 0, 0]
    assert [sessions[each]["user_keyring"] for each in (live, expiring)] == [True, False]
    assert (other["serial"], other["name"], other["made"]) == (named, "mine own", None)


def test_what_is_in_another_keyring_is_no_session_keyring() -> None:
    inner = "ring=$(keyctl newring inner @s); keyctl newring innermost $ring"
    with held.session(NESTED, inner) as serial:
        sessions = held.of(NESTED, held.told())["sessions"]
    assert [(each["serial"], each["keys"]) for each in sessions] == [(serial, 1)]


def test_what_one_takes_is_what_the_kernel_counts() -> None:
    """The owner of a keyring that add_key(2) creates may not read its links."""
    fill = (
        "ring=$(keyctl newring inner @s); keyctl link $(keyctl add user a text @s) $ring;"
        f"keyctl add logon a:b secret $ring; {LINK}"
    )
    with held.session(COUNTED, LINK):  # @u and @us exist already
        before = held.used(COUNTED)
        with (
            held.session(COUNTED, fill) as dark,
            held.session(COUNTED, f"{fill}; keyctl setperm $ring 0x3f030000") as serial,
        ):
            after = held.used(COUNTED)
            found = held.of(COUNTED, held.told())["sessions"]
    takes = {each["serial"]: each["takes"] for each in found}
    counted = tuple((now - then) // 2 for now, then in zip(after, before, strict=True))
    assert takes[serial] == {"keys": counted[0], "bytes": counted[1], "whole": True}
    assert counted[0] == 4
    assert takes[dark]["whole"] is False
    assert takes[dark]["keys"] < takes[serial]["keys"]


def test_looking_changes_nothing() -> None:
    """Not even the user keyrings of a user without them, which the kernel creates on request."""
    nobody = 70_000_000 + os.getpid()  # the keyrings stay once they exist
    with held.session(nobody) as serial:
        before = held.rows(nobody), held.used(nobody)
        assert not any("_uid" in row for row in before[0])
        (session,) = held.of(nobody, held.told())["sessions"]
        assert (held.rows(nobody), held.used(nobody)) == before
        oneself = ("setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups")
        found = held.told(*oneself)
        assert (held.rows(nobody), held.used(nobody)) == before
    assert (session["serial"], session["user_keyring"]) == (serial, False)
    assert [user["uid"] for user in found["users"]] == [nobody]
    assert found["everyone"] is False
    assert found["users"][0]["sessions"] == [session]


def test_without_user_namespaces_it_sees_the_same(tmp_path: Path) -> None:
    """In a chroot the kernel creates no namespace: user_namespaces(7)."""
    inside = f'mount --rbind / {tmp_path}; exec chroot {tmp_path} "$@"'
    apart = ("unshare", "-m", "--propagation", "unchanged", "sh", "-ec", inside, "-")
    refused = subprocess.run([*apart, "unshare", "--user", "true"], capture_output=True, text=True)
    assert "Operation not permitted" in refused.stderr
    with held.session(UID, LINK), held.session(OTHER):
        here, there = held.told(), held.told(*apart)
    for uid in (UID, OTHER):
        assert held.of(uid, here) == held.of(uid, there)
        assert held.of(uid, there)["sessions"]


def test_as_root_of_a_user_namespace_it_sees_root_s() -> None:
    """As in a container with one uid: no other uid is mapped there."""
    world.need_user_namespaces()
    found = held.told("unshare", "--user", "--map-root-user", "keyctl", "session", "inside")
    assert [user["uid"] for user in found["users"]] == [0]
    assert "inside" in [each["name"] for each in found["users"][0]["sessions"]]


def test_the_order_is_that_of_the_quota() -> None:
    def share(user: "dict[str, dict[str, int]]") -> float:
        quota = user["quota"]
        keys = quota["keys_used"] / quota["keys_allowed"]
        return max(keys, quota["bytes_used"] / quota["bytes_allowed"])

    fill = "for n in $(seq 100); do keyctl add user $n x @s; done"
    with held.session(UID), held.session(OTHER, fill):
        shares = [share(user) for user in held.told()["users"]]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) > 2


def test_what_cannot_be_known_is_said() -> None:
    hide = "keyctl setperm $(keyctl add user hidden x @s) 0x3f000000"
    with held.session(HIDING, hide):
        found = held.of(HIDING, held.told())
        done = subprocess.run([HELPER, "sessions"], capture_output=True, text=True)
    assert (found["keys_not_seen"], found["error"]) == (1, None)
    assert found["sessions"][0]["user_keyring"] is None
    assert done.returncode == 0
    assert f"Not seen: 1 key of {HIDING}: their owner has no right to view them\n" in done.stdout
    assert re.search(r"Not known: when and by what \d+ session keyrings? were made", done.stdout)
    assert "Not known: which processes have them" in done.stdout


def test_a_name_cannot_steer_the_terminal() -> None:
    with held.session(UID, name="a\x1b[31m\nb") as serial:
        done = subprocess.run([HELPER, "sessions"], capture_output=True, text=True)
        (session,) = held.of(UID, held.told())["sessions"]
    assert "\x1b" not in done.stdout
    assert f"{serial:10} a\\x1b[31m\\nb " in done.stdout
    assert session["name"] == "a\x1b[31m\nb"


def test_what_it_says_is_as_the_schema_has_it() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")
    jsonschema.Draft202012Validator.check_schema(held.SCHEMA)
    validator = jsonschema.Draft202012Validator(held.SCHEMA)
    tag = f"{HELPER} run --tag 'my daemon' true; {LINK}"
    with held.session(UID, tag), held.session(OTHER, "keyctl revoke @s"):
        found = held.told()
    assert [error.message for error in validator.iter_errors(found)] == []
    (session,) = held.of(UID, found)["sessions"]
    assert (session["made"]["by"], session["made"]["service"]) == ("pykeyinit-helper", "my daemon")
    for member, wrong in (("state", "odd"), ("takes", 3), ("serial", 0), ("expires", "soon")):
        session[member], right = wrong, session[member]
        assert list(validator.iter_errors(found)), member
        session[member] = right


@pytest.mark.parametrize("words", [["--nonsense"], ["alice"]])
def test_wrong_words(words: list[str]) -> None:
    done = subprocess.run([HELPER, "sessions", *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (125, "", 1)
