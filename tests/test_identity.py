"""Which id is where while the user's are in place, and that none of the host's is lost.

The id that is given up is parked in the saved slot: a host that has lowered its privileges
could not come back otherwise (setresuid(2)).
"""

import os
from collections.abc import Callable

import pytest

from pam_pykeyinit import identity, kernel
from support import world
from support.child import in_child

pytestmark = pytest.mark.privileged

Triple = tuple[int, int, int]
Switch = Callable[[int, int, Callable[[], None]], None]


def _ids() -> tuple[Triple, Triple]:
    return os.getresuid(), os.getresgid()


def _switched(switch: Switch, uids: Triple, gids: Triple) -> list[tuple[Triple, Triple]]:
    """The ids of a host with these, inside and afterwards, for a session of alice."""
    kernel.setresgid(*gids)
    kernel.setresuid(*uids)
    seen: list[tuple[Triple, Triple]] = []
    switch(world.uid("alice"), world.gid("alice"), lambda: seen.append(_ids()))
    return [*seen, _ids()]


# Whose ids are in the three places: a daemon, a set-user-ID program, and one that has lowered its
# privileges but for the saved id.
HOSTS = [("root", "root", "root"), ("bob", "root", "root"), ("root", "alice", "root")]


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
    """A host without the right to set any is none the worse for a session of its own user."""
    for name in ("setresuid", "setresgid"):
        monkeypatch.setattr(kernel, name, lambda *ids: pytest.fail(f"set {ids}"))
    done: list[bool] = []
    switch(os.getuid(), os.getgid(), lambda: done.append(True))
    assert done == [True]


def test_an_interrupt_on_the_way_back_does_not_keep_the_ids(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal handler of the host raises in the middle of putting them back."""

    def interrupted() -> list[object]:
        real = kernel.setresuid
        calls: list[Triple] = []

        def once(*ids: int) -> None:
            calls.append(ids)  # type: ignore[arg-type]
            if len(calls) == 2:  # there, and the first way back
                raise KeyboardInterrupt
            real(*ids)

        monkeypatch.setattr(kernel, "setresuid", once)
        try:
            identity.with_real_ids(world.uid("alice"), world.gid("alice"), lambda: None)
        except KeyboardInterrupt:
            return ["raised", len(calls), _ids()]
        return ["not raised", len(calls), _ids()]

    assert in_child(interrupted) == ["raised", 3, ((0, 0, 0), (0, 0, 0))]
