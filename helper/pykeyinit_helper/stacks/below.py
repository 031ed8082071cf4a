"""Files below a root, which may be another system's and not to be trusted.

Links are followed inside of the root.  Only regular files are read, and of those no more than
a limit: a FIFO, a device or a sparse file neither stops the reader nor fills the memory.
"""

import errno
import os
import stat
from pathlib import Path

CONFIGURATION = 256 * 1024  # bytes; what people write is far smaller
LIBRARY = 64 * 1024 * 1024
_MOST_LINKS = 40  # as the kernel, path_resolution(7)
_MOST_NAMES = 20000  # in one folder


class Below:
    """The files below a root; `unseen` has the paths that this user may not read."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.unseen: set[str] = set()

    def real(self, path: Path) -> Path:
        """Where a path below the root is, an absolute link being one to below the root.

        Raises OSError where links lead in a circle.
        """
        if self.root == Path("/"):
            return path
        done, rest, links = self.root, list(path.parts[1:]), 0
        while rest:
            part = rest.pop(0)
            if part == "..":
                done = done.parent if done != self.root else done
                continue
            done /= part
            if done.is_symlink():
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
                target = done.readlink()
                rest[:0] = target.parts[1:] if target.is_absolute() else target.parts
                done = self.root if target.is_absolute() else done.parent
        return done

    def look(self, path: Path) -> os.stat_result | None:
        """What stat(2) gives; None where there is nothing.  Raises PermissionError."""
        try:
            return self.real(path).stat()
        except PermissionError:
            self.unseen.add(str(path))
            raise
        except (OSError, ValueError):
            return None

    def status(self, path: Path) -> os.stat_result | None:
        """The same, and None as well for what may not be seen."""
        try:
            return self.look(path)
        except PermissionError:
            return None

    def is_file(self, path: Path) -> bool:
        """Whether there is a regular file."""
        status = self.status(path)
        return status is not None and stat.S_ISREG(status.st_mode)

    def names(self, folder: Path) -> list[str]:
        """What a folder has, sorted; nothing where it cannot be read."""
        try:
            found = sorted(os.listdir(self.real(folder)))
        except PermissionError:
            self.unseen.add(str(folder))
            return []
        except OSError:
            return []
        return found[:_MOST_NAMES]

    def read(self, path: Path, most: int = CONFIGURATION) -> bytes:
        """What is in a regular file; nothing of /dev/null.  Raises OSError, with this path."""
        try:
            return _read(self.real(path), most)
        except OSError as error:
            if isinstance(error, PermissionError):
                self.unseen.add(str(path))
            raise OSError(error.errno, error.strerror, str(path)) from error


def _read(path: Path, most: int) -> bytes:
    status = path.stat()  # before it is opened: opening a device may do something
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3):
        return b""  # /dev/null, which is how files are masked
    _check(status, most)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with open(os.open(path, flags), "rb") as file:
        _check(os.fstat(file.fileno()), most)
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, _too_large(most))
    return found


def _check(status: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if status.st_size > most:
        raise OSError(errno.EFBIG, _too_large(most))


def _too_large(most: int) -> str:
    return f"larger than {most // 1024} KiB"
