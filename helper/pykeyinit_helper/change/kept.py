"""What `enable` keeps in a folder that is root's alone: the first copies, and the lock."""

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
    """Hold the lock against others of us.  Raises replace.Changed, OSError.

    flock(2) wants no more than a file that can be opened: in a folder which everybody can
    read, anybody could hold it.
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
    """The folder, root's alone, also if an older version made it readable for all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise replace.Changed(f"{folder} is not a folder of root")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def keep(name: str, text: str) -> Path:
    """Keep a file as it is before `enable`; an older copy stays.  Raises OSError."""
    COPIES.mkdir(mode=0o700, exist_ok=True)
    path = COPIES / name
    if replace.now(path) is None:
        replace.replace(path, None, text)
    return path


def forget(name: str, text: str) -> Path | None:
    """Remove the copy of a file that is as it was before; one that differs stays, and is named.

    Raises OSError.
    """
    path = COPIES / name
    kept = replace.now(path)
    if kept == text:
        replace.remove(path, text)
    return path if kept not in (None, text) else None
