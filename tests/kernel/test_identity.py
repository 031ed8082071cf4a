"""The ids of a host while the user's are in place; none of the host's is lost.

The previous id is kept in the saved id: a host with lowered privileges could not restore it
otherwise (setresuid(2)).
"""

import errno
import os
from collections.abc import Callable

import pytest

from pam_pykeyinit.kernel import identity, setids, syscalls
from support import world
from support.child import in_child

pytestmark = pytest.mark.privileged

Triple = tuple[int, int, int]
Switch = Callable[[int, int, Callable[[], None]], None]


def _ids() -> tuple[Triple, Triple]:
    return os.getresuid(), os.getresgid()


def _switched(switch: Switch, uids: Triple, gids: Triple) -> list[tuple[Triple, Triple]]:
    """The ids of a host with these ids, inside and afterwards, for a session of alice."""
    setids.setresgid(*gids)
    setids.setresuid(*uids)
    seen: list[tuple[Triple, Triple]] = []
    switch(world.uid("alice"), world.gid("alice"), lambda: seen.append(_ids()))
    return [*seen, _ids()]


# The users of the three ids: a daemon, a set-user-ID program, one with lowered privileges except
# for the saved id, and those with another user's ids there.
HOSTS = [
    ("root", "root", "root"),
    ("bob", "root", "root"),
    ("root", "alice", "root"),
    ("root", "root", "bob"),
    ("alice", "root", "bob"),
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("slot", [0, 1])
def test_the_id_that_is_given_up_is_parked(host: tuple[str, str, str], slot: int) -> None:
    switch = (identity.with_real_ids, identity.with_effective_ids)[slot]
    uids, gids = (
        tuple(0 if name == "root" else of(name) for name in host) for of in (world.uid, world.gid)
    )
    inside, after = in_child(lambda: _switched(switch, uids, gids))  # type: ignore[arg-type]

    wanted = []
    for ids, alice in ((uids, world.uid("alice")), (gids, world.gid("alice"))):
        real_and_effective = list(ids[:2])
        real_and_effective[slot] = alice
        parked = ids[slot] if ids[slot] != alice else ids[2]
        wanted.append((*real_and_effective, parked))
    assert list(inside) == wanted
    assert after == (uids, gids)


@pytest.mark.parametrize("switch", [identity.with_real_ids, identity.with_effective_ids])
def test_ids_that_are_in_place_are_not_set(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host without the privilege to set ids can have a session of its own user."""
    for name in ("setresuid", "setresgid"):
        monkeypatch.setattr(setids, name, lambda *ids: pytest.fail(f"set {ids}"))
    done: list[bool] = []
    switch(os.getuid(), os.getgid(), lambda: done.append(True))
    assert done == [True]


@pytest.mark.parametrize("switch", [identity.with_real_ids, identity.with_effective_ids])
@pytest.mark.parametrize("nobody", ["uid", "gid"])
def test_nothing_is_done_as_root_for_an_id_that_changes_nothing(
    switch: Switch, nobody: str
) -> None:
    """The id -1 means "unchanged", setresuid(2)."""
    uid = setids.KEEP if nobody == "uid" else world.uid("alice")
    gid = setids.KEEP if nobody == "gid" else world.gid("alice")

    def seen() -> list[object]:
        done: list[bool] = []
        with pytest.raises(syscalls.KernelError):
            switch(uid, gid, lambda: done.append(True))
        return [done, _ids()]

    assert in_child(seen) == [[], ((0, 0, 0), (0, 0, 0))]


def test_ids_that_are_not_restored_are_told_with_the_call_that_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def seen() -> str:
        real = setids.setresgid

        def refused_for_root(*ids: int) -> None:
            if ids[0] == 0:
                raise syscalls.KernelError(errno.EPERM, "setresgid")
            real(*ids)

        monkeypatch.setattr(setids, "setresgid", refused_for_root)
        with pytest.raises(identity.NotRestored) as alarm:
            identity.with_real_ids(world.uid("alice"), world.gid("alice"), lambda: None)
        return str(alarm.value)

    alice = world.gid("alice")
    assert in_child(seen) == (
        f"ids are (0, 0, 0) ({alice}, 0, 0), must be (0, 0, 0) (0, 0, 0);"
        " setresgid: Operation not permitted"
    )


@pytest.mark.parametrize("which", [2, 3])
def test_an_interrupt_does_not_keep_the_filesystem_uid(
    which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is restored, or before it was read: the host has it again in both cases."""

    def interrupted() -> list[object]:
        real = setids.setfsuid
        calls: list[int] = []

        def once(uid: int) -> int:
            calls.append(uid)
            if len(calls) == which + 1:
                raise KeyboardInterrupt
            return real(uid)

        monkeypatch.setattr(setids, "setfsuid", once)
        try:
            identity.with_filesystem_uid(world.uid("alice"), lambda: None)
        except KeyboardInterrupt:
            return ["raised", real(setids.KEEP)]
        return ["not raised", real(setids.KEEP)]

    assert in_child(interrupted) == ["raised", 0]


def test_an_interrupt_on_the_way_back_does_not_keep_the_ids(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal handler of the host raises while the ids are being restored."""

    def interrupted() -> list[object]:
        real = setids.setresuid
        calls: list[Triple] = []

        def once(*ids: int) -> None:
            calls.append(ids)  # type: ignore[arg-type]
            if len(calls) == 2:  # there, and the first try to restore
                raise KeyboardInterrupt
            real(*ids)

        monkeypatch.setattr(setids, "setresuid", once)
        try:
            identity.with_real_ids(world.uid("alice"), world.gid("alice"), lambda: None)
        except KeyboardInterrupt:
            return ["raised", len(calls), _ids()]
        return ["not raised", len(calls), _ids()]

    assert in_child(interrupted) == ["raised", 3, ((0, 0, 0), (0, 0, 0))]
