"""Tests wait for each other where they share the machine: its load, its quotas, root's keys.

All worlds of the machine share two locks, those of other suites that run at the same time
included.  Tests hold a shared lock, the room, and one that is marked whole_machine holds it
alone.  A test that waits for the room holds the second lock, so that no other test comes first.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from support import world

HELD = "PYKEYINIT_ROOM_IS_HELD"


@contextlib.contextmanager
def room(*, alone: bool) -> Iterator[None]:
    """Hold the room until the end of the block; without a world nothing is shared.

    A test that runs tests, as those of the mutants do, holds it for them.
    """
    folder = world.folder()
    if folder is None or HELD in os.environ:
        yield
        return
    turn, held = (
        os.open(folder / "turns" / name, os.O_RDWR | os.O_CLOEXEC) for name in ("turn", "room")
    )
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(held, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(turn, fcntl.LOCK_UN)
        os.environ[HELD] = "1"
        yield
        del os.environ[HELD]
        # A child that a test left may have a copy of the descriptor.
        fcntl.flock(held, fcntl.LOCK_UN)
    finally:
        os.close(turn)
        os.close(held)
