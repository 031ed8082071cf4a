"""lay.py ROOT DESTDIR: install the files that standard input names, from ROOT below DESTDIR.

Each is written beside its place and then renamed, so that a login at that moment finds the old
or the new one.  Times are kept, because by them Python knows that bytecode belongs to its source.
As root, the files are root's, whatever a set-group-ID folder says.
"""

import contextlib
import os
import shutil
import sys
from pathlib import Path


def lay(source: Path, target: Path) -> None:
    """Install one file.  Raises OSError."""
    new = target.with_name(f"{target.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    there = source.stat()
    # With O_EXCL, because others may be able to write to the folder.
    with (
        source.open("rb") as old,
        os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
    ):
        shutil.copyfileobj(old, file)
        if os.getuid() == 0:
            os.fchown(file.fileno(), 0, 0)
        os.fchmod(file.fileno(), 0o755 if there.st_mode & 0o100 else 0o644)
    os.utime(new, ns=(there.st_atime_ns, there.st_mtime_ns))
    new.rename(target)


def main(root: str, destdir: str) -> None:
    """Install all of them."""
    for line in sys.stdin:
        name = line.rstrip("\n")
        try:
            lay(Path(root + name), Path(destdir + name))
        except OSError as error:
            sys.exit(f"install: {destdir}{name}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
