"""Where libpam looks for the files of services, below a root that may be another system's."""

import os
from pathlib import Path

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
        self.root, self.services, self.includes = root, services, includes
        self.at_include = at_include  # whether this libpam knows Debian's @include

    def find(self, name: str, folders: tuple[Path, ...]) -> Path | None:
        """The file of that name, as seen from below the root."""
        for folder in folders:
            path = folder / name  # an absolute name stays what it is
            if self.real(path).is_file():
                return path
        return None

    def read(self, path: Path) -> str:
        """Raises OSError."""
        return self.real(path).read_bytes().decode("utf-8", "surrogateescape")

    def real(self, path: Path) -> Path:
        """Where a path below the root is, an absolute link being one to below the root.

        Raises OSError where links lead in a circle.
        """
        done, rest, links = self.root, list(path.parts[1:]), 0
        while rest:
            part = rest.pop(0)
            if part == "..":
                done = done.parent if done != self.root else done
                continue
            done /= part
            if self.root != Path("/") and done.is_symlink():
                links += 1
                if links > 40:
                    raise OSError(40, os.strerror(40), str(path))
                target = done.readlink()
                rest[:0] = target.parts[1:] if target.is_absolute() else target.parts
                done = self.root if target.is_absolute() else done.parent
        return done

    def names(self) -> list[str]:
        """Every service that has a file."""
        found = set()
        for folder in self.services:
            real = self.real(folder)
            for path in real.iterdir() if real.is_dir() else ():
                # What has a dot in its name is an editor's or a package manager's leaving.
                named = "." not in path.name and not path.name.endswith("~")
                if named and self.real(folder / path.name).is_file():
                    found.add(path.name)
        return sorted(found)
