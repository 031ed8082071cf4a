"""The folders of service files, below a root that may be another system's."""

import contextlib
import stat
from pathlib import Path

from pykeyinit_helper.stacks.below import Below

PAM_D = Path("/etc/pam.d")
VENDOR = (Path("/usr/lib/pam.d"), Path("/usr/etc/pam.d"))  # all distributions; also openSUSE


class Folders:
    """The folders that libpam searches, below a root; links are followed inside it."""

    def __init__(
        self,
        root: Path = Path("/"),
        services: tuple[Path, ...] = (PAM_D, *VENDOR),
        includes: tuple[Path, ...] = (PAM_D, *VENDOR),
        at_include: bool = True,
    ) -> None:
        self.root, self.below = root, Below(root)
        self.services, self.includes = services, includes
        self.at_include = at_include  # whether this libpam knows Debian's @include

    def find(self, name: str, folders: tuple[Path, ...]) -> Path | None:
        """The file of that name, as seen from below the root, which may be a folder.

        Raises PermissionError without permission, which is not the same as no file.
        """
        for folder in folders:
            path = folder / name  # an absolute name is not joined
            if self.below.look(path) is not None:
                return path
        return None

    def read(self, path: Path) -> str:
        """The content of a file.  Raises OSError, and of a folder IsADirectoryError."""
        return self.below.read(path).decode("utf-8", "surrogateescape")

    def real(self, path: Path) -> Path:
        """Resolve a path below the root.  Raises OSError for a circle of links."""
        return self.below.real(path)

    def names(self) -> list[str]:
        """Every service that has a file."""
        found = set()
        for folder in self.services:
            for name in self.below.names(folder):
                # A name with a dot is a backup file of an editor or a package manager.
                if "." in name or name.endswith("~"):
                    continue
                with contextlib.suppress(PermissionError):
                    status = self.below.look(folder / name)
                    if status is not None and not stat.S_ISDIR(status.st_mode):
                        found.add(name)
        return sorted(found)
