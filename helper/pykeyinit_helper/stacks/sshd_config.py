"""Whether sshd uses PAM: `UsePAM` of sshd_config(5)."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from pykeyinit_helper.stacks.below import Below

_FILES = (Path("/etc/ssh/sshd_config"), Path("/usr/etc/ssh/sshd_config"))
_DEEPEST = 16  # servconf.c
_MOST_FILES = 100


class UsePam(NamedTuple):
    """The place that turns PAM off: the file and line, or line 0 for the default."""

    file: str
    line: int


def switched_off(below: Below) -> UsePam | None:
    """The place that turns PAM off in sshd; None if sshd uses PAM or there is no sshd.

    The first value applies.  The default is no; Debian and Fedora set yes in their files.
    """
    path = next((path for path in _FILES if below.is_file(path)), None)
    if path is None:
        return None
    found = _Reader(below).first(path, 0)
    if found is None:
        return None if str(path) in below.unseen else UsePam(str(path), 0)
    file, number, value = found
    return UsePam(file, number) if value.lower() == "no" else None


class _Reader:
    def __init__(self, below: Below) -> None:
        self._below, self._files = below, 0

    def first(self, path: Path, level: int) -> tuple[str, int, str] | None:
        """The first UsePAM: file, line, value."""
        self._files += 1
        if level > _DEEPEST or self._files > _MOST_FILES:
            return None
        try:
            text = self._below.read(path).decode("utf-8", "replace")
        except OSError:
            return None
        for number, line in enumerate(text.splitlines(), 1):
            words = re.split(r"[ \t]*=[ \t]*|[ \t]+", line.strip(), maxsplit=1)
            keyword, rest = words[0].lower(), (words[1:] or [""])[0]
            if keyword == "match":  # not allowed after it
                return None
            if keyword == "usepam":
                return str(path), number, rest.split("#")[0].strip().strip('"')
            if keyword == "include":
                found = self._include(rest, level)
                if found is not None:
                    return found
        return None

    def _include(self, patterns: str, level: int) -> tuple[str, int, str] | None:
        for word in patterns.split():
            pattern = Path("/etc/ssh", word.strip('"'))
            for name in self._below.names(pattern.parent):
                if fnmatchcase(name, pattern.name):
                    found = self.first(pattern.parent / name, level + 1)
                    if found is not None:
                        return found
        return None
