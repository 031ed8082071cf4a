"""A change of one service's file: show it, make it, undo it, read stacks with it."""

import difflib
import re
from pathlib import Path
from typing import NamedTuple

from pam_pykeyinit.log import printable
from pykeyinit_helper.change import replace
from pykeyinit_helper.stacks.folders import Folders


class Changed(Folders):
    """Folders in which one file is replaced."""

    def __init__(self, folders: Folders, path: Path, text: str | None) -> None:
        super().__init__(folders.root, folders.services, folders.includes, folders.at_include)
        self._below, self._path, self._text = folders, path, text

    def find(self, name: str, folders: tuple[Path, ...]) -> Path | None:
        """As if the file existed, or not."""
        for folder in folders:
            path = folder / name
            if path == self._path and self._text is not None:
                return path
            if path != self._path and self._below.find(name, (folder,)):
                return path
        return None

    def read(self, path: Path) -> str:
        """As if it had the text."""
        return (
            self._text if path == self._path and self._text is not None else self._below.read(path)
        )


class Change(NamedTuple):
    """The old and the new text of the file; None is no file."""

    service: str
    path: Path
    old: str | None
    new: str | None

    def difference(self) -> str:
        """The difference, as in diff -u."""
        old, new = _rows(self.old), _rows(self.new)
        nothing, name = "/dev/null", str(self.path)
        names = (name if old else nothing, name if new else nothing)
        return "".join(map(_shown, difflib.unified_diff(old, new, names[0], names[1])))

    def do(self) -> None:
        """Make the change.  Raises replace.Changed, OSError."""
        if self.new is not None:
            replace.replace(self.path, self.old, self.new)
        elif self.old is not None:
            replace.remove(self.path, self.old)

    def undo(self) -> None:
        """Restore the old text.  Raises replace.Changed, OSError."""
        Change(self.service, self.path, self.new, self.old).do()


def _rows(text: str | None) -> list[str]:
    """A file's lines, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text or "")


def _shown(row: str) -> str:
    """One row of a difference, with a newline, also if the last line of the file has none."""
    text = "\t".join(printable(part) for part in row.removesuffix("\n").split("\t"))
    return text + ("\n" if row.endswith("\n") else "\n\\ No newline at end of file\n")
