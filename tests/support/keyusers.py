"""How many keys each user has, from /proc/key-users."""

import time
from pathlib import Path

from pam_pykeyinit.policies import quota


def count(uid: int) -> int:
    """The keys that are counted to a user, dead ones that are not yet collected included."""
    for line in Path("/proc/key-users").read_text().splitlines():
        user, _, figures = line.partition(":")
        if int(user) == uid:
            return int(figures.split()[1].split("/")[0])
    return 0


def settle(uid: int, most: int) -> int:
    """Wait until the count is at most `most`: the kernel collects keys with a delay.

    After 30 seconds return the current count.
    """
    deadline = time.monotonic() + 30
    while (found := count(uid)) > most and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def has_room(uid: int, size: int) -> bool:
    """Whether this many bytes of the quota are free, or become free within 30 seconds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        _, _, used, most = dict(quota.parse(Path("/proc/key-users").read_text()))[uid]
        if most - used >= size:
            return True
        time.sleep(0.1)
    return False
