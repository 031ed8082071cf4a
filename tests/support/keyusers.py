"""The number of keys of each user, from /proc/key-users."""

import time
from pathlib import Path

from pam_pykeyinit.policies import quota


def count(uid: int) -> int:
    """The keys that are counted to a user, dead ones that are not yet collected included."""
    return _counts(uid)[0]


def _counts(uid: int) -> tuple[int, int]:
    """The keys of a user, and how many of them were made completely."""
    for line in Path("/proc/key-users").read_text().splitlines():
        user, _, figures = line.partition(":")
        if int(user) == uid:
            keys, made = figures.split()[1].split("/")
            return int(keys), int(made)
    return 0, 0


def refused_are_collected(uid: int) -> bool:
    """Whether no key is left that the kernel refused, or none is within 30 seconds.

    Until it is collected it is counted, so that the quota seems used up, and is not.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        keys, made = _counts(uid)
        if keys == made:
            return True
        time.sleep(0.01)
    return False


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
