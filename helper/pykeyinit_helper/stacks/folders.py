"""Where libpam looks for the files of services, below a root that may be another system's."""

import contextlib
import stat
from pathlib import Path

from pykeyinit_helper.stacks.below import Below

PAM_D = Path("/etc/pam.d")
VENDOR = (Path("/usr/lib/pam.d"), Path("/usr/etc/pam.d"))  # everybody's; openSUSE's as well


class Folders:
    """Where libpam looks for files, below a root; links are followed inside of it."""

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
        """The file of that name, as seen from below the root.

        Raises PermissionError where that may not be seen: it is not the same as none.
        """
        for folder in folders:
            path = folder / name  # an absolute name stays what it is
            if self._is_there(path):
                return path
        return None

    def read(self, path: Path) -> str:
        """What is in a file.  Raises OSError."""
        return self.below.read(path).decode("utf-8", "surrogateescape")

    def real(self, path: Path) -> Path:
        """Where a path below the root is.  Raises OSError where links lead in a circle."""
        return self.below.real(path)

    def names(self) -> list[str]:
        """Every service that has a file."""
        found = set()
        for folder in self.services:
            for name in self.below.names(folder):
                # What has a dot in its name is an editor's or a package manager's leaving.
                if "." in name or name.endswith("~"):
                    continue
                with contextlib.suppress(PermissionError):
                    if self._is_there(folder / name):
                        found.add(name)
        return sorted(found)

    def _is_there(self, path: Path) -> bool:
        """Whether libpam would open it: whatever is no folder, and also what is no file."""
        status = self.below.look(path)
        return status is not None and not stat.S_ISDIR(status.st_mode)
