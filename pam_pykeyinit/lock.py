"""Logins of one user take turns where two at the same instant would make two keyrings.

A keyring that is joined by name is born unsearchable, so that between its birth and the
call that makes it searchable a second login would not find it and make another.  The kernel
has no call that does both.  So the first login locks a file of the user's own, where nobody
but root can open it; the kernel lets go of the lock with the process, however it ends.
Logins that find a keyring need no turn.
"""

import posix
from errno import EAGAIN, EEXIST, EPERM
from time import monotonic, sleep

from . import kernel, keyctl, log
from .failure import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import Said, User

FOLDER = "/run/pam_pykeyinit"
_PATIENCE = 20.0  # seconds; a turn takes less than a millisecond of a processor
_PAUSE = 0.002  # seconds; it doubles, or many who wait keep the one who works from working
_LONGEST_PAUSE = 0.2  # seconds
_OTHERS = 0o077


class Turn:
    """A turn of the user's, in a `with` block.  Without it there is a line in the log.

    It never fails: a login goes on without, and only where another one is just as far
    there will be two keyrings.
    """

    __slots__ = ("_descriptor", "_said", "_user")

    def __init__(self, user: "User", said: "Said") -> None:
        self._user = user
        self._said = said
        self._descriptor: "int | None" = None

    def __enter__(self) -> None:
        try:
            self._descriptor = _opened(self._user.uid)
            _wait(self._descriptor)
        except OSError as error:
            line = (
                f"{FOLDER}/{self._user.uid}: {name_of(error)}: of two logins of"
                f" {self._user.name} at the same instant each may get a keyring of that name"
            )
            self._said.append((log.NOTICE, line))

    def __exit__(self, *raised: object) -> None:
        if self._descriptor is None:
            return
        for let_go in (keyctl.unlock, posix.close):
            try:
                let_go(self._descriptor)
            except OSError:
                pass  # closing unlocks too, if no child was forked since; and it always closes


def _opened(uid: int) -> int:
    """The user's file, open; nothing is followed, and nobody else can have put it there."""
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
        return posix.open(str(uid), posix.O_CREAT | posix.O_NOFOLLOW, 0o600, dir_fd=folder)
    finally:
        posix.close(folder)


def _wait(descriptor: int) -> None:
    end = monotonic() + _PATIENCE
    pause = _PAUSE
    while True:
        try:
            return keyctl.lock(descriptor)
        except kernel.KernelError as error:
            if error.errno != EAGAIN or monotonic() > end:
                raise
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
