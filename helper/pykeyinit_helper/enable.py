"""`pykeyinit-helper enable` and `disable`: our line into a service's stack, and out again."""

import difflib
import os
import pwd
import re
from pathlib import Path
from typing import NamedTuple

from pam_pykeyinit.log import printable
from pykeyinit_helper import machine, place, rehearse, replace, stack
from pykeyinit_helper.become import Refused
from pykeyinit_helper.folders import PAM_D, Folders
from pykeyinit_helper.pamconf import fold
from pykeyinit_helper.place import NotUnderstood
from pykeyinit_helper.run import say

KEPT = Path("/var/lib/pykeyinit-helper/pam.d")


class _Changed(Folders):
    """The machine's folders with one file that is another."""

    def __init__(self, folders: Folders, path: Path, text: str | None) -> None:
        super().__init__(folders.root, folders.services, folders.includes, folders.at_include)
        self._path, self._text = path, text

    def find(self, name: str, folders: tuple[Path, ...]) -> Path | None:
        """As if the file were there, or gone."""
        for folder in folders:
            path = folder / name
            if path == self._path and self._text is not None:
                return path
            if path != self._path and self.real(path).is_file():
                return path
        return None

    def read(self, path: Path) -> str:
        """As if it had the text."""
        return self._text if path == self._path and self._text is not None else super().read(path)


class _Change(NamedTuple):
    """What is to become of one service's file; None is no file."""

    service: str
    path: Path
    old: str | None
    new: str | None

    def difference(self) -> str:
        """As diff -u shows it."""
        old, new = _rows(self.old), _rows(self.new)
        nothing, name = "/dev/null", str(self.path)
        names = (name if old else nothing, name if new else nothing)
        return "".join(map(_shown, difflib.unified_diff(old, new, names[0], names[1])))

    def do(self) -> None:
        """Put it in place.  Raises replace.Changed, OSError."""
        if self.new is not None:
            replace.replace(self.path, self.old, self.new)
        elif self.old is not None:
            replace.remove(self.path, self.old)

    def undo(self) -> None:
        """Put back what was there.  Raises replace.Changed, OSError."""
        _Change(self.service, self.path, self.new, self.old).do()


def _rows(text: str | None) -> list[str]:
    """A file's lines, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text or "")


def _shown(row: str) -> str:
    """One row of a difference, with its end, also where the file's last line has none."""
    text = "\t".join(printable(part) for part in row.removesuffix("\n").split("\t"))
    return text + ("\n" if row.endswith("\n") else "\n\\ No newline at end of file\n")


def change(command: str, services: list[str], user: str, *, dry_run: bool) -> int:
    """Enable or disable each; 0 if all are as wanted, 1 if one was left alone.  Raises Refused."""
    if not dry_run and os.geteuid() != 0:
        raise Refused(f"only root can change {PAM_D}: try it with sudo, or with --dry-run")
    try:
        pwd.getpwnam(user)
    except (KeyError, ValueError):
        raise Refused(f"unknown user: {user[:64]} (see getent passwd)") from None
    folders, status = machine.folders(Path("/")), 0
    for service in dict.fromkeys(services):
        try:
            if not _one(command, service, user, folders, dry_run):
                print(f"{printable(service)}: nothing to do, it is {command}d")
        except NotUnderstood as reason:
            say(f"{service}: left as it is: {reason}")
            status = 1
        except (rehearse.Worse, replace.Changed) as reason:
            say(f"{service}: as it was before: {reason}")
            status = 1
        except OSError as error:
            say(f"{service}: {error.filename or ''}: {error.strerror}")
            status = 1
    return status


def _one(command: str, service: str, user: str, folders: Folders, dry_run: bool) -> bool:
    """Change one service; whether there was something to change."""
    wanted = _enabled(service, folders) if command == "enable" else _disabled(service, folders)
    if wanted is None:
        return False
    _verify(wanted, folders, enabling=command == "enable")
    print(wanted.difference(), end="", flush=True)
    if dry_run:
        return True
    with replace.alone(wanted.path.parent):
        if command == "enable":
            _enable(wanted, user, folders)
        else:
            wanted.do()
            print(f"{printable(service)}: disabled")
    return True


def _enabled(service: str, folders: Folders) -> _Change | None:
    found, text = _read(service, folders)
    copied = found.parent != PAM_D
    new = place.put_in(text, stack.read(service, folders), copied=copied)
    if new == text:
        return None
    if copied:
        return _Change(service, PAM_D / found.name, None, new)
    return _Change(service, found, text, new)


def _disabled(service: str, folders: Folders) -> _Change | None:
    found, text = _read(service, folders)
    new, copied = place.take_out(text)
    if new == text:
        if place.has_ours(stack.read(service, folders)):
            raise NotUnderstood("its line is not enable's: take it out by hand")
        return None
    vendors = folders.find(found.name, folders.services[1:])
    gone = copied and vendors is not None and folders.read(vendors) == new
    return _Change(service, found, text, None if gone else new)


def _read(service: str, folders: Folders) -> tuple[Path, str]:
    """A service's file, and what is in it.  Raises NotUnderstood, OSError."""
    name = fold(service)
    if not name or "/" in name or name.startswith("."):
        raise NotUnderstood("that is no name of a service")
    path = folders.find(name, folders.services)
    if path is None:
        raise NotUnderstood(f"there is no {PAM_D / name}")
    if path.is_symlink():
        raise NotUnderstood(f"it is a link to {path.resolve()}, where something else keeps it")
    return path, folders.read(path)


def _verify(wanted: _Change, folders: Folders, *, enabling: bool) -> None:
    """That no service's stack changes in anything but its keyring module."""
    changed = _Changed(folders, wanted.path, wanted.new)
    names = folders.names()
    before = [stack.read(name, folders) for name in names]
    after = [stack.read(name, changed) for name in names]
    place.verify(before, after)
    if enabling and not place.reached(stack.read(wanted.service, changed)):
        raise NotUnderstood("libpam would never come to our line")


def _enable(wanted: _Change, user: str, folders: Folders) -> None:
    name = wanted.path.name
    before = rehearse.new_stack(name, user, folders, wanted.new or "")
    kept = ""
    if wanted.old is not None:
        KEPT.mkdir(mode=0o755, parents=True, exist_ok=True)
        replace.replace(KEPT / name, replace.now(KEPT / name), wanted.old)
        kept = f"; what was there is kept as {KEPT / name}"
    wanted.do()
    try:
        rehearse.compare(before, rehearse.session(name, user, None))
    except rehearse.Worse:
        wanted.undo()
        raise
    print(f"{printable(wanted.service)}: enabled{kept}")
