"""A lock, so that two logins of one user at the same instant do not create two keyrings.

A keyring that is joined by name is not searchable at first (join_session_keyring in the
kernel).  Until it has that permission, a second login does not find it, and creates another one.
The kernel has no call that does both.  Therefore a login locks a file for the user and the
name, which only root can open.  The kernel releases the lock when the process ends.  A login
that finds a keyring takes no lock.

The user can stop a process whose real user id is theirs, as with sudo.  Therefore no login waits
long: without the lock there is a second keyring, and no other harm.
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
_PATIENCE = 1.0  # seconds; the work under the lock takes less than a millisecond
_PAUSE = 0.002  # seconds; it doubles, so that many waiting logins do not slow down the working one
_LONGEST_PAUSE = 0.2  # seconds
_OTHERS = 0o077
_FNV_OFFSET, _FNV_PRIME, _FNV_SIZE = 0xCBF29CE484222325, 0x100000001B3, 2**64


class Lock:
    """The lock for a user and the name of a keyring, held in a `with` block.

    It never fails: without the lock a login continues, and logs a line.  Two keyrings exist only
    if another login runs at the same instant.  The block gets whether the lock is held.
    """

    __slots__ = ("_descriptor", "_file", "_lines", "_whose")

    def __init__(self, uid: int, whose: str, name: str, lines: "Lines") -> None:
        """Open the file, which needs root; the block may run as another user."""
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
        """Release the lock and close the file, also without a block."""
        if self._descriptor is None:
            return
        for let_go in (keyctl.unlock, posix.close):
            try:
                let_go(self._descriptor)
            except OSError:
                pass  # close(2) always closes, and unlocks unless a child was forked since
        self._descriptor = None

    def _without(self, error: OSError) -> None:
        line = (
            f"{FOLDER}/{self._file}: {name_of(error)}: of two logins of"
            f" {self._whose} at the same instant each may get a keyring of that name"
        )
        self._lines.append((log.NOTICE, line))


def file_name(uid: int, name: str) -> str:
    """The name of the file, because a keyring's name may have 4,095 arbitrary bytes.  Pure.

    Logins for two names with the same hash (FNV-1a, 64 bits) only wait for each other.
    """
    number = _FNV_OFFSET
    for byte in name.encode("utf-8", "surrogateescape"):
        number = (number ^ byte) * _FNV_PRIME % _FNV_SIZE
    return f"{uid}.{number:016x}"


def _opened(name: str) -> int:
    """Open the file, without following links, in a folder that only root can write."""
    try:
        posix.mkdir(FOLDER, 0o700)
    except OSError as error:
        if error.errno != EEXIST:
            raise
    # Python opens both with O_CLOEXEC.
    folder = posix.open(FOLDER, posix.O_DIRECTORY | posix.O_NOFOLLOW)
    try:
        found = posix.fstat(folder)
        if found.st_uid != 0 or found.st_mode & _OTHERS:
            raise OSError(EPERM, "not root's alone")
        return posix.open(name, posix.O_CREAT | posix.O_NOFOLLOW, 0o600, dir_fd=folder)
    finally:
        posix.close(folder)


def _wait(descriptor: int) -> None:
    """Take the lock exclusively, or, after another login had it, shared with all that wait.

    By then there is a keyring to find; one by one, the last of many would wait long.
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
