"""A child process for each user; the user can stop or kill it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from pykeyinit_helper.become import Refused
from pykeyinit_helper.view import children
from pykeyinit_helper.view.children import Children
from support import world

pytestmark = pytest.mark.privileged

UIDS = [world.first_uid() + 40 + each for each in range(3)]


def answers(look: "Any", uids: "list[int]") -> "dict[int, dict[str, Any]]":
    return dict(Children(look).answers(uids))


def _who(uid: int) -> "list[Any]":
    status = Path("/proc/self/status").read_text().splitlines()
    told = dict(line.split(":\t", 1) for line in status)
    dumpable = os.access("/proc/self/environ", os.R_OK)
    ids = [os.getresuid(), os.getresgid(), os.getgroups()]
    return [uid, *ids, told["CapPrm"], told["CapEff"], told["CapAmb"], dumpable, os.getppid()]


@pytest.mark.parametrize("uid", [UIDS[0], 65534], ids=["a users", "nobodys"])
def test_without_a_namespace_a_child_is_the_user_for_good(
    monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    monkeypatch.setattr(children, "_libc", None)  # it must not be used
    crew = Children(_who)
    crew._apart = False
    ((_, answer),) = crew.answers([uid])
    *who, parent = answer["seen"]
    none = "0" * 16
    nogroup = [65534] * 3
    assert who[:3] == [uid, [uid] * 3, nogroup]
    assert set(who[3]) <= {65534}
    assert who[4:] == [none, none, none, False]
    assert parent == os.getpid()


def test_in_a_namespace_it_can_only_look_as_its_users() -> None:
    """It is root's, so that no user can stop it; outside the namespace it has no capability."""
    world.need_user_namespaces()
    uids = [*UIDS, 65534, 0]
    found = dict(Children(_inside).answers(uids))
    pids = {answer["seen"]["pid"] for answer in found.values()}
    assert len(pids) == 1, "not in one child"
    for uid, answer in found.items():
        seen = answer["seen"]
        assert seen["Uid"][:3] == [0] * 3
        assert seen["Uid"][3] == uid
        assert set(seen["Groups"]) <= {65534}
        assert {seen["CapPrm"], seen["CapEff"]} == {f"{1 << 7:016x}"}
        assert seen["CapAmb"] == seen["CapInh"] == "0" * 16
        assert not seen["becomes"]
        assert not seen["outside"]


def _inside(uid: int) -> "dict[str, Any]":
    status = Path("/proc/self/status").read_text().splitlines()
    told = dict(line.split(":\t", 1) for line in status)
    numbers = {name: [int(each) for each in told[name].split()] for name in ("Uid", "Groups")}
    caps = {name: told[name] for name in ("CapPrm", "CapEff", "CapAmb", "CapInh")}
    other = _fails(lambda: children._look_as(UIDS[0] + 17))
    children._look_as(uid)
    outside = _fails(lambda: os.chroot("/"))
    return {**numbers, **caps, "pid": os.getpid(), "becomes": not other, "outside": not outside}


def _fails(act: "Any") -> bool:
    try:
        act()
    except (Refused, OSError):
        return True
    return False


def test_one_that_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(uid: int) -> str:
        if uid == UIDS[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return "seen"

    found = answers(look, UIDS)
    assert found[UIDS[1]] == {"error": "its process was ended by SIGKILL"}
    assert [found[uid] for uid in (UIDS[0], UIDS[2])] == [{"seen": "seen"}] * 2


def test_one_that_is_stopped_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(uid: int) -> int:
        if uid == UIDS[1]:
            os.kill(os.getpid(), signal.SIGSTOP)
        return os.getpid()

    monkeypatch.setattr(children, "PATIENCE", 1.0)
    begin = time.monotonic()
    found = answers(look, UIDS)
    assert time.monotonic() - begin < 20
    assert found[UIDS[1]] == {"error": "no answer within 1 seconds"}
    assert {"seen"} == set(found[UIDS[0]]) == set(found[UIDS[2]])
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def _fsuid() -> int:
    return int(children._libc.setfsuid(-1))


def test_many_more_than_at_once() -> None:
    uids = [world.first_uid() + each for each in range(63)]
    found = answers(lambda uid: [uid, _fsuid()], uids)
    assert found == {uid: {"seen": [uid, uid]} for uid in uids}


def test_a_long_answer() -> None:
    (answer,) = answers(lambda _: "x" * 1_000_000, UIDS[:1]).values()
    assert answer == {"seen": "x" * 1_000_000}
