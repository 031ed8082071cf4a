"""Replace a file atomically: a reader, or a kill of this process, finds the old or the new file.

The new file is written under another name, synced to the disk, and gets the old file's
owner, mode and extended attributes (an SELinux context among them) before rename(2).
"""

import errno
import os
from pathlib import Path


class Changed(Exception):
    """Another process has changed the file meanwhile, or is running."""


def replace(path: Path, old: str | None, new: str) -> None:
    """Replace the text of a file; `old` is None if there must be no file yet.

    Raises Changed if the file is not `old`, OSError.
    """
    beside = path.with_name(f".{path.name}.pykeyinit-helper")
    beside.unlink(missing_ok=True)  # left by a process that was killed
    try:
        _write(beside, new, like=path if old is not None else None)
        if now(path) != old:
            raise Changed(f"{path} was changed in the meantime: nothing was done")
        beside.rename(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _to_disk(path.parent)


def remove(path: Path, old: str) -> None:
    """Remove a file that is still `old`.  Raises Changed, OSError."""
    if now(path) != old:
        raise Changed(f"{path} was changed in the meantime: nothing was done")
    path.unlink()
    _to_disk(path.parent)


def now(path: Path) -> str | None:
    """The content of a file; None if there is none.  Raises OSError."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str, like: Path | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with open(descriptor, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()
        if like is None:
            os.fchmod(descriptor, 0o644)
        else:
            status = like.stat()
            os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            _copy_attributes(like, descriptor)
        os.fsync(descriptor)


def _copy_attributes(source: Path, descriptor: int) -> None:
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return
        raise
    for name in names:
        os.setxattr(descriptor, name, os.getxattr(source, name))


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
