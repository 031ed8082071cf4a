"""Logins of one user take turns where two at the same instant would make two keyrings.

A keyring that is joined by name is born unsearchable, so that between its birth and the
call that makes it searchable a second login would not find it and make another.  The kernel
has no call that does both.  So a login locks a file for the user and the name, where nobody
but root can open it; the kernel lets go of the lock with the process, however it ends.
Logins that find a keyring need no turn.

The user can stop a process whose real user id is theirs, and sudo's is its caller's.  So
nobody waits for long: what the lock avoids is a second keyring, and no more.
"""

import posix
from errno import EAGAIN, EEXIST, EPERM
from time import monotonic, sleep

from .. import log
from ..failure import name_of
from ..kernel import keyctl, syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..log import Lines

FOLDER = "/run/pam_pykeyinit"
_PATIENCE = 1.0  # seconds; a turn takes less than a millisecond of a processor
_PAUSE = 0.002  # seconds; it doubles, or many who wait keep the one who works from working
_LONGEST_PAUSE = 0.2  # seconds
_OTHERS = 0o077
_FNV_OFFSET, _FNV_PRIME, _FNV_SIZE = 0xCBF29CE484222325, 0x100000001B3, 2**64


class Lock:
    """A turn of a user and a keyring's name, in a `with` block; a line in the log without.

    It never fails: a login goes on without, and only where another one is just as far
    there will be two keyrings.  The block is told whether it has the turn.
    """

    __slots__ = ("_descriptor", "_file", "_lines", "_whose")

    def __init__(self, uid: int, whose: str, name: str, lines: "Lines") -> None:
        """Open the file, which only root can; the block itself may be another user's."""
        self._whose = whose
        self._file = file_name(uid, name)
        self._lines = lines
        self._descriptor: "int | None" = None
        try:
            self._descriptor = _opened(self._file)
        except OSError as error:
            self._without(error)

    def __enter__(self) -> bool:
        if self._descriptor is None:
            return False
        try:
            _wait(self._descriptor)
        except OSError as error:
            self._without(error)
            return False
        return True

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Be done with it, also where there was no block."""
        if self._descriptor is None:
            return
        for let_go in (keyctl.unlock, posix.close):
            try:
                let_go(self._descriptor)
            except OSError:
                pass  # closing unlocks too, if no child was forked since; and it always closes
        self._descriptor = None

    def _without(self, error: OSError) -> None:
        line = (
            f"{FOLDER}/{self._file}: {name_of(error)}: of two logins of"
            f" {self._whose} at the same instant each may get a keyring of that name"
        )
        self._lines.append((log.NOTICE, line))


def file_name(uid: int, name: str) -> str:
    """The name of the file: that of a keyring may have 4,095 bytes, and any.  Pure.

    Two names of the same number (FNV-1a, 64 bits) only wait for each other.
    """
    number = _FNV_OFFSET
    for byte in name.encode("utf-8", "surrogateescape"):
        number = (number ^ byte) * _FNV_PRIME % _FNV_SIZE
    return f"{uid}.{number:016x}"


def _opened(name: str) -> int:
    """The file, open; nothing is followed, and nobody else can have put it there."""
    try:
        posix.mkdir(FOLDER, 0o700)
    except OSError as error:
        if error.errno != EEXIST:
            raise
    # Both are closed on exec: Python sees to it.
    folder = posix.open(FOLDER, posix.O_DIRECTORY | posix.O_NOFOLLOW)
    try:
        found = posix.fstat(folder)
        if found.st_uid != 0 or found.st_mode & _OTHERS:
            raise OSError(EPERM, "not root's alone")
        return posix.open(name, posix.O_CREAT | posix.O_NOFOLLOW, 0o600, dir_fd=folder)
    finally:
        posix.close(folder)


def _wait(descriptor: int) -> None:
    """Take the lock alone, or, once another has had it, together with all who waited.

    By then there is a keyring to be found; only one by one, the last of many would wait long.
    """
    end = monotonic() + _PATIENCE
    pause = _PAUSE
    take = keyctl.lock
    while True:
        try:
            return take(descriptor)
        except syscalls.KernelError as error:
            if error.errno != EAGAIN or monotonic() > end:
                raise
        take = keyctl.lock_shared
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
