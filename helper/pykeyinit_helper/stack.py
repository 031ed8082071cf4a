"""The stack of a PAM service, read from its files, includes and all, as libpam reads them.

pam.conf(5), and libpam's _pam_parse_conf_file and _pam_init_handlers.  Reading files is the
only effect.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pykeyinit_helper import pamconf
from pykeyinit_helper.pamconf import ALL_BAD, Line, fold

PAM_D = Path("/etc/pam.d")
VENDOR = (Path("/usr/lib/pam.d"), Path("/usr/etc/pam.d"))  # everybody's; openSUSE's as well

KINDS = ("auth", "account", "password", "session")
_DEEPEST = 16  # PAM_SUBSTACK_MAX_LEVEL


class Entry(NamedTuple):
    """One module of a stack, or the mark of a substack, where `is_substack`."""

    file: str  # as it is seen from below the root
    line: int
    via: int  # the line of the service's own file that led there; its own where it is there
    kind: str
    control: str
    actions: tuple[int, ...]
    module: str
    arguments: tuple[str, ...] = ()
    silent: bool = False  # the `-` before the type
    level: int = 0  # how many substacks it is in
    fault: str = ""  # why libpam has no module here: PAM_PERM_DENIED
    is_substack: bool = False

    @property
    def name(self) -> str:
        """The module's file name, without its folder."""
        return self.module.rpartition("/")[2]


class Trouble(NamedTuple):
    """What libpam cannot read, or not in every version alike."""

    file: str
    line: int
    text: str


class Stack(NamedTuple):
    """All of a service."""

    service: str
    file: str  # the service's own, "" where it has none and "other" serves
    entries: tuple[Entry, ...]
    troubles: tuple[Trouble, ...]
    usable: bool = True  # whether pam_start(3) succeeds

    def of(self, kind: str) -> list[Entry]:
        """The entries of one type."""
        return [entry for entry in self.entries if entry.kind == kind]


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


def read(service: str, folders: Folders) -> Stack:
    """A service's stack; types that it does not have are those of "other".

    Raises OSError where a file is there and cannot be read.
    """
    name = fold(service)
    if not any(folders.real(folder).is_dir() for folder in folders.services):
        return _read_pam_conf(name, folders)
    path = folders.find(name, folders.services)
    other = folders.find("other", folders.services)
    own = _Reader(folders, path) if path else None
    return _with_other(name, own, _Reader(folders, other) if other else None)


def _read_pam_conf(name: str, folders: Folders) -> Stack:
    """All services in one file, where there is no folder of them."""
    path = Path("/etc/pam.conf")
    own = _Reader(folders, path, only=name)
    return _with_other(name, own, _Reader(folders, path, only="other"))


def _with_other(name: str, own: "_Reader | None", other: "_Reader | None") -> Stack:
    entries, troubles = (own.entries, own.troubles) if own else ([], [])
    if other and name != "other":
        kinds = {entry.kind for entry in entries}
        entries = entries + [entry for entry in other.entries if entry.kind not in kinds]
        troubles = troubles if own else other.troubles
    usable = bool(own or other) and all(reader.usable for reader in (own, other) if reader)
    file = own.path if own else ""
    return Stack(name, file, tuple(entries), tuple(dict.fromkeys(troubles)), usable)


class _Reader:
    """Reads one file and what it includes."""

    def __init__(self, folders: Folders, path: Path, only: str = "") -> None:
        self._folders, self.path = folders, str(path)
        self.entries: list[Entry] = []
        self.troubles: list[Trouble] = []
        self.usable = self._file(path, None, (), 0, 0, only)

    def _file(
        self, path: Path, kind: str | None, above: tuple[str, ...], level: int, via: int, only: str
    ) -> bool:
        """Whether libpam can read the file; what it read before it could not, counts."""
        found, whole = pamconf.lines(self._folders.read(path))
        for line in found:
            if only:
                if fold(line.words[0]) != only:
                    continue
                line = line._replace(words=line.words[1:])
            if line.fault:
                text = f"{line.fault}: libpam reads this one way before 1.6, another since"
                self.troubles.append(Trouble(str(path), line.number, text))
            if not self._line(line, path, kind, (*above, str(path)), level, via or line.number):
                return False
        if not whole:
            self.troubles.append(Trouble(str(path), 0, "the file ends in a backslash"))
        return whole

    def _line(
        self,
        line: Line,
        path: Path,
        only: str | None,
        above: tuple[str, ...],
        level: int,
        via: int,
    ) -> bool:
        word, *rest = (*line.words, *("",) * (3 - len(line.words)))
        silent = word.startswith("-")
        kind, fault = fold(word[1:] if silent else word), ""
        if kind == "@include" and self._folders.at_include:
            return self._include(line, path, rest[0], only, "@include", above, level, via)
        if kind not in KINDS:
            fault = f"{word!r} is no type"
            kind = only or "auth"
        if only is not None and kind != only:
            return True
        control, module = rest[0], rest[1]
        if fold(control) in ("include", "substack"):
            if fold(control) == "substack":
                # libpam keeps a mark here, which counts as no entry but moves the level.
                self.entries.append(
                    Entry(
                        str(path),
                        line.number,
                        via,
                        kind,
                        control,
                        ALL_BAD,
                        module,
                        (),
                        silent,
                        level,
                        is_substack=True,
                    )  # fmt: skip
                )
            return self._include(line, path, module, kind, control, above, level, via)
        actions = pamconf.actions(control) if len(line.words) > 1 else ALL_BAD
        if len(line.words) < 3:
            fault = fault or ("no control" if len(line.words) < 2 else "no module")
        if len(line.words) > 2 and not pamconf.module_name(module):
            text = f"{module!r} has no name in it, and so the whole service fails"
            self.troubles.append(Trouble(str(path), line.number, text))
            return False
        if actions is None:
            text = f"[{control}] cannot be read: whatever the module says, it is taken as failed"
            self.troubles.append(Trouble(str(path), line.number, text))
        if fault:
            text = f"{fault}: libpam takes it as a module that fails"
            self.troubles.append(Trouble(str(path), line.number, text))
        self.entries.append(
            Entry(
                str(path),
                line.number,
                via,
                kind,
                control,
                actions or ALL_BAD,
                module,
                tuple(line.words[3:]),
                silent,
                level,
                fault,
            )  # fmt: skip
        )
        return True

    def _include(
        self,
        line: Line,
        path: Path,
        name: str,
        kind: str | None,
        control: str,
        above: tuple[str, ...],
        level: int,
        via: int,
    ) -> bool:
        if not name:
            text = f"{control} of nothing: libpam 1.5.2 crashes at it, and the login with it"
            self.troubles.append(Trouble(str(path), line.number, text))
            return False
        inside = level + (fold(control) == "substack")
        found = self._folders.find(name, self._folders.includes)
        if found is None:
            why = f"{control} of {name}: there is no such file"
        elif str(found) in above or len(above) >= _DEEPEST:
            why = f"{control} of {name}: it includes itself, or {_DEEPEST} others each other"
        elif self._file(found, kind, above, inside, via, ""):
            return True
        else:
            why = f"{control} of {name}: the file cannot be read"
        if kind is None:  # a failing module of which type?  libpam gives up
            text = f"{why}, and so the whole service fails"
            self.troubles.append(Trouble(str(path), line.number, text))
            return False
        self.troubles.append(Trouble(str(path), line.number, why))
        self.entries.append(
            Entry(
                str(path), line.number, via, kind, control, ALL_BAD, name, level=level, fault=why
            )
        )
        return True


def modules(service: str, folder: Path) -> list[str]:
    """The modules' names as they are written, in the order of the types.

    Raises OSError where there is neither a file of the service nor of "other"; a file that an
    include names and that is missing is libpam's to report.
    """
    path = file(service, folder)
    if not path.is_file():
        path.stat()
    folders = Folders(services=(folder,), includes=(folder, PAM_D))
    return [entry.module for entry in _modules(read(path.name, folders))]


def _modules(stack: Stack) -> Iterator[Entry]:
    return (entry for entry in stack.entries if not entry.fault and not entry.is_substack)


def file(service: str, folder: Path) -> Path:
    """The file that libpam reads for a service, which is "other" where it has none."""
    path = folder / fold(service)
    return path if path.exists() else folder / "other"


def loads_pam_python(found: list[str]) -> bool:
    """Whether pam_python.so is among them."""
    return any(Path(module).name == "pam_python.so" for module in found)
