"""Read one file of PAM services and its includes, as libpam does.

pam.conf(5), and libpam's _pam_parse_conf_file.  Reading files is the only effect.
"""

import errno
from pathlib import Path
from typing import NamedTuple

from pykeyinit_helper.stacks import pamconf
from pykeyinit_helper.stacks.entries import KINDS, Entry, Trouble
from pykeyinit_helper.stacks.folders import Folders
from pykeyinit_helper.stacks.pamconf import ALL_BAD, Line, fold

_DEEPEST = 16  # PAM_SUBSTACK_MAX_LEVEL
# For one service with its includes, because nested includes can grow without limit.
_MOST_LINES = 500
_MOST_BYTES = 512 * 1024


class _Where(NamedTuple):
    """How libpam reached a file."""

    path: Path
    kind: str | None = None  # the only type that is read from it
    above: tuple[str, ...] = ()  # the files that include it, and itself
    level: int = 0
    via: int = 0  # the line of the service's own file that leads to it

    def at(self, line: Line) -> "tuple[str, int, int]":
        """The place of an entry."""
        return str(self.path), line.number, self.via or line.number


class Reader:
    """Reads one file and its includes: `entries`, `troubles`, and whether it is `usable`."""

    def __init__(self, folders: Folders, path: Path, only: str = "") -> None:
        self._folders, self.path = folders, str(path)
        self.entries: list[Entry] = []
        self.troubles: list[Trouble] = []
        self._lines = self._bytes = 0
        self.usable = self._file(_Where(path, above=(str(path),)), only)

    def _file(self, where: _Where, only: str = "") -> bool:
        """Whether libpam can read the file; entries before the error count."""
        try:
            text = self._folders.read(where.path)
        except IsADirectoryError:
            self._trouble(where, 0, "it is a folder: libpam reads it as an empty file")
            return True
        self._bytes += len(text)
        self._check_size()
        cut = pamconf.lines(text)
        for number, fault in cut.apart:
            self._apart(where, number, fault)
        for line in cut.lines:
            if only:
                if fold(line.words[0]) != only:
                    continue
                line = line._replace(words=line.words[1:])
            self._lines += 1
            self._check_size()
            if line.fault:
                self._apart(where, line.number, line.fault)
            if not self._line(line, where):
                return False
        if cut.wrong:
            self._trouble(where, 0, cut.wrong)
        return not cut.wrong

    def _apart(self, where: _Where, number: int, fault: str) -> None:
        why = f"{fault}: libpam reads this one way before 1.6, another since"
        self._trouble(where, number, why)

    def _check_size(self) -> None:
        if self._lines > _MOST_LINES or self._bytes > _MOST_BYTES:
            text = f"more than {_MOST_LINES} lines or {_MOST_BYTES // 1024} KiB with its includes"
            raise OSError(errno.EFBIG, text, self.path)

    def _trouble(self, where: _Where, number: int, text: str) -> None:
        self.troubles.append(Trouble(str(where.path), number, text))

    def _line(self, line: Line, where: _Where) -> bool:
        word, control, module = (*line.words, "", "")[:3]
        silent = word.startswith("-")
        kind, fault = fold(word[1:] if silent else word), ""
        if kind == "@include" and self._folders.at_include:
            return self._include(line, where, control, where.kind, "@include")
        if kind not in KINDS:
            fault = f"{word!r} is no type"
            kind = where.kind or "auth"
        if where.kind is not None and kind != where.kind:
            return True
        if fold(control) == "substack":
            if module and self._nameless(line, where, module):
                return False
            # libpam has a mark here, which is no entry but changes the level.
            mark = Entry(*where.at(line), kind, control, ALL_BAD, module, (), silent, where.level)
            self.entries.append(mark._replace(is_substack=True))
        if fold(control) in ("include", "substack"):
            return self._include(line, where, module, kind, control)
        return self._module(line, where, kind, silent, fault)

    def _module(self, line: Line, where: _Where, kind: str, silent: bool, fault: str) -> bool:
        _, control, module = (*line.words, "", "")[:3]
        actions = pamconf.actions(control) if len(line.words) > 1 else ALL_BAD
        if len(line.words) < 3:
            fault = fault or ("no control" if len(line.words) < 2 else "no module")
        elif self._nameless(line, where, module):
            return False
        if actions is None:
            text = f"[{control}] cannot be read: whatever the module says, it is taken as failed"
            self._trouble(where, line.number, text)
        if fault:
            self._trouble(where, line.number, f"{fault}: libpam takes it as a module that fails")
        words, actions = tuple(line.words[3:]), actions or ALL_BAD
        entry = Entry(*where.at(line), kind, control, actions, module, words, silent, where.level)
        self.entries.append(entry._replace(fault=fault, last=line.last))
        return True

    def _nameless(self, line: Line, where: _Where, module: str) -> bool:
        """libpam wants a module's name in it, also of the file of a substack."""
        if pamconf.module_name(module):
            return False
        text = f"{module!r} has no name in it, and so the whole service fails"
        self._trouble(where, line.number, text)
        return True

    def _include(
        self, line: Line, where: _Where, name: str, kind: str | None, control: str
    ) -> bool:
        if not name:
            text = f"{control} of nothing: Debian's libpam crashes at it before 1.7.0-6"
            self._trouble(where, line.number, text)
            return False
        found = self._folders.find(name, self._folders.includes)
        if found is None:
            why = f"{control} of {name}: there is no such file"
        elif str(found) in where.above or len(where.above) >= _DEEPEST:
            why = f"{control} of {name}: it includes itself, or {_DEEPEST} others each other"
        elif self._file(
            _Where(
                found,
                kind,
                (*where.above, str(found)),
                where.level + (fold(control) == "substack"),
                where.via or line.number,
            )
        ):
            return True
        else:
            why = f"{control} of {name}: the file cannot be read"
        if kind is None:  # the type is unknown, so libpam stops
            self._trouble(where, line.number, f"{why}, and so the whole service fails")
            return False
        self._trouble(where, line.number, why)
        entry = Entry(*where.at(line), kind, control, ALL_BAD, name, level=where.level, fault=why)
        self.entries.append(entry)
        return True
