"""What a switch of ids refuses because it could not be undone, and what it leaves as it was."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from pam_pykeyinit.kernel import identity, libc, setids, syscalls
from support import world
from support.child import in_child

pytestmark = pytest.mark.privileged


def _ids() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    return os.getresuid(), os.getresgid()


def _tried(uids: list[int], gids: list[int], wanted: tuple[int, int]) -> tuple[object, bool]:
    """The ids inside a switch of the real ids, or the refused call; whether all are restored."""
    setids.setresgid(*gids)
    setids.setresuid(*uids)  # from here on without capabilities
    before = _ids()
    try:
        inside: object = identity.with_real_ids(*wanted, _ids)
    except syscalls.KernelError as error:
        inside = error.call
    return inside, _ids() == before


@pytest.mark.parametrize(("which", "call"), [("uids", "setresuid"), ("gids", "setresgid")])
def test_three_ids_are_not_given_up_without_the_right_to_set_them(which: str, call: str) -> None:
    """The saved id would be lost: it cannot be set again."""
    of = (world.uid, world.gid)[which == "gids"]
    three, alike = [of(name) for name in ("bob", "carol", "dave")], [world.uid("carol")] * 3
    uids, gids = (three, [world.gid("carol")] * 3) if which == "uids" else (alike, three)
    wanted = (world.uid("carol"), world.gid("carol"))
    assert in_child(lambda: _tried(uids, gids, wanted)) == (call, True)


def test_an_unprivileged_process_may_switch_to_its_own_other_id() -> None:
    """A set-user-ID program: its saved id is also its effective one, so none is lost."""
    bob, carol = world.uid("bob"), world.uid("carol")
    gids = [world.gid("carol")] * 3
    inside, restored = in_child(
        lambda: _tried([bob, carol, carol], gids, (carol, world.gid("carol")))
    )
    assert inside == ((carol, carol, bob), tuple(gids))
    assert restored


SWITCHES: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "real": lambda work: identity.with_real_ids(world.uid("alice"), world.gid("alice"), work),
    "effective": lambda work: identity.with_effective_ids(
        world.uid("alice"), world.gid("alice"), work
    ),
    "filesystem": lambda work: identity.with_filesystem_uid(world.uid("alice"), work),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_marks_of_the_process_are_as_before(switch: str) -> None:
    """The kernel resets both if a filesystem id changes (commit_creds)."""

    def marks() -> list[object]:
        libc.set_process_marks(signal.SIGUSR1, 1)
        SWITCHES[switch](lambda: None)
        return list(libc.process_marks())

    assert in_child(marks) == [signal.SIGUSR1, 1]


@pytest.mark.parametrize("switch", SWITCHES)
def test_no_signal_comes_while_ids_are_switched(switch: str) -> None:
    def blocked() -> set[int]:
        return {int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())}

    def seen() -> list[set[int]]:
        signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2])
        return [SWITCHES[switch](blocked), blocked()]

    inside, after = in_child(seen)
    assert inside >= {int(each) for each in signal.valid_signals()} - {
        signal.SIGKILL, signal.SIGSTOP,
    }  # fmt: skip
    assert after == {signal.SIGUSR2}


def test_ids_that_every_try_failed_to_restore_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler of a signal in another thread raises each time."""

    def seen() -> str:
        real = setids.setresuid

        def interrupted(*ids: int) -> None:
            if ids[0] == 0:
                raise KeyboardInterrupt
            real(*ids)

        monkeypatch.setattr(setids, "setresuid", interrupted)
        with pytest.raises(identity.NotRestored) as alarm:
            SWITCHES["real"](lambda: None)
        return str(alarm.value)

    assert in_child(seen) == "ids may not be what they were"
