"""A user who has used up the quota of keys."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pam_pykeyinit.kernel import libc, sysnums
from support import keyusers, world
from support.child import in_child

_USER_KEYRING = -4
_RESERVE = b"reserve"


def _fill(user: str, reserve: int) -> list[int]:
    """As the user, add keys until no byte of the quota is left; return the errno for each size."""
    os.setresgid(*[world.gid(user)] * 3)
    os.setresuid(*[world.uid(user)] * 3)
    if reserve:
        _add(_RESERVE, reserve)
    refusals = []
    for size in (32_000, 1_000, 50, 1):
        for number in range(10_000):
            added = _add(b"%d.%d" % (size, number), size)
            if added < 0:
                refusals.append(-added)
                assert keyusers.refused_are_collected(world.uid(user))
                break
    return refusals


def _add(name: bytes, size: int) -> int:
    return libc.syscall(sysnums.ADD_KEY, b"user", name, b"x" * size, size, _USER_KEYRING)


def _keyctl(user: str, *arguments: str) -> None:
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    subprocess.run([*become, "keyctl", *arguments], check=True, stdout=subprocess.DEVNULL)


def _lasting(user: str) -> int:
    """The number of their keyrings that exist without a process."""
    uid = world.uid(user)
    names = [f" {kind}.{uid}" for kind in ("_uid", "_uid_ses", "_persistent")]

    def look() -> int:
        os.setresuid(*[uid] * 3)
        lines = Path("/proc/keys").read_text().splitlines()
        return sum(line.partition(":")[0].endswith(name) for line in lines for name in names)

    return in_child(look)


def empty(user: str) -> None:
    """Clear their user keyring, and wait until no key is left whose collection frees quota."""
    _keyctl(user, "clear", "@u")
    keyusers.settle(world.uid(user), _lasting(user))


@contextlib.contextmanager
def used_up(user: str, but: int = 0) -> Iterator[None]:
    """Keys in their user keyring use up the quota, except for some bytes.

    Afterwards the user keyring is empty.
    """
    uid = world.uid(user)
    empty(user)
    try:
        assert in_child(lambda: _fill(user, but)) == [errno.EDQUOT] * 4
        if but:
            _keyctl(user, "purge", "user", _RESERVE.decode())
            assert keyusers.has_room(uid, but)
        yield
    finally:
        _keyctl(user, "clear", "@u")
        keyusers.settle(uid, 10)
