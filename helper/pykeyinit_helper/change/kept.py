"""The folder of `enable`, which only root can use: the first copies, and the lock."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pykeyinit_helper.change import replace

STATE = Path("/var/lib/pykeyinit-helper")
COPIES = STATE / "pam.d"


@contextlib.contextmanager
def alone(folder: Path = STATE) -> Iterator[None]:
    """Hold the lock.  Raises replace.Changed, OSError.

    flock(2) needs only an open file: in a folder that all users can read, any user could hold
    the lock.
    """
    _make(folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder / "lock", flags, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise replace.Changed("another pykeyinit-helper is running") from None
        yield
    finally:
        os.close(descriptor)


def _make(folder: Path) -> None:
    """The folder, which only root may use; an older version may have made it readable for all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise replace.Changed(f"{folder} is not a folder of root")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def keep(name: str, text: str) -> Path:
    """Keep a copy of a file before `enable`, unless there is one.  Raises OSError."""
    COPIES.mkdir(mode=0o700, exist_ok=True)
    path = COPIES / name
    if replace.now(path) is None:
        replace.replace(path, None, text)
    return path


def forget(name: str, text: str) -> Path | None:
    """Remove the copy of a restored file; keep and return a copy that differs.

    Raises OSError.
    """
    path = COPIES / name
    kept = replace.now(path)
    if kept == text:
        replace.remove(path, text)
    return path if kept not in (None, text) else None
