"""A child process for each user; the user can stop or kill it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

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
@pytest.mark.parametrize("apart", [True, False])
def test_a_child_is_the_user_for_good(
    monkeypatch: pytest.MonkeyPatch, uid: int, *, apart: bool
) -> None:
    if not apart:
        monkeypatch.setattr(children, "_libc", None)  # it must not be used
    crew = Children(_who)
    crew._apart = apart
    ((_, answer),) = crew.answers([uid])
    *who, parent = answer["seen"]
    none = "0" * 16
    nogroup = [65534] * 3
    assert who[:3] == [uid, [uid] * 3, nogroup]
    assert set(who[3]) <= {65534}
    assert who[4:] == [none, none, none, False]
    assert parent == os.getpid()


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


def test_many_more_than_at_once() -> None:
    uids = [world.first_uid() + each for each in range(60)]
    assert answers(lambda uid: [uid, os.getuid()], uids) == {
        uid: {"seen": [uid, uid]} for uid in uids
    }


def test_a_long_answer() -> None:
    (answer,) = answers(lambda _: "x" * 1_000_000, UIDS[:1]).values()
    assert answer == {"seen": "x" * 1_000_000}
