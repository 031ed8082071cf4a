"""Files below a root, which may be that of another system, and untrusted.

Links are followed only inside the root.  Only regular files of limited size are read: a FIFO, a
device or a sparse file must neither block the reader nor fill the memory.
"""

import errno
import os
import stat
from pathlib import Path

CONFIGURATION = 256 * 1024  # bytes; real files are far smaller
LIBRARY = 64 * 1024 * 1024
_MOST_LINKS = 40  # as the kernel, path_resolution(7)
_MOST_NAMES = 20000  # in one folder


class Below:
    """The files below a root; `unseen` has the paths that this user may not read."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.unseen: set[str] = set()

    def real(self, path: Path) -> Path:
        """Resolve a path below the root; absolute links are relative to the root.

        Raises OSError for a circle of links.
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
        """The result of stat(2); None if there is no file.  Raises PermissionError."""
        try:
            return self.real(path).stat()
        except PermissionError:
            self.unseen.add(str(path))
            raise
        except (OSError, ValueError):
            return None

    def status(self, path: Path) -> os.stat_result | None:
        """The same, and None also without permission."""
        try:
            return self.look(path)
        except PermissionError:
            return None

    def is_file(self, path: Path) -> bool:
        """Whether there is a regular file."""
        status = self.status(path)
        return status is not None and stat.S_ISREG(status.st_mode)

    def names(self, folder: Path) -> list[str]:
        """The names in a folder, sorted; none if it cannot be read."""
        try:
            found = sorted(os.listdir(self.real(folder)))
        except PermissionError:
            self.unseen.add(str(folder))
            return []
        except OSError:
            return []
        return found[:_MOST_NAMES]

    def read(self, path: Path, most: int = CONFIGURATION) -> bytes:
        """The content of a regular file; "" for /dev/null.  Raises OSError, with this path."""
        try:
            return _read(self.real(path), most)
        except OSError as error:
            if isinstance(error, PermissionError):
                self.unseen.add(str(path))
            raise OSError(error.errno, error.strerror, str(path)) from error


def _read(path: Path, most: int) -> bytes:
    status = path.stat()  # before open(2), which may have an effect on a device
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3):
        return b""  # a link to /dev/null masks a file
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
        number = errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.EINVAL
        raise OSError(number, "not a regular file")
    if status.st_size > most:
        raise OSError(errno.EFBIG, _too_large(most))


def _too_large(most: int) -> str:
    return f"larger than {most // 1024} KiB"
