"""What of a machine has a say in whether keyrings work at its logins: the looking.

`rules` has what is said of it.  Everything is looked for below a root, so that another
system's folder can be looked at; what only a running kernel can tell is left out there.
"""

import configparser
import errno
import os
import pwd
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pam_pykeyinit import kernel, procfs, quota
from pykeyinit_helper.entries import Entry
from pykeyinit_helper.folders import PAM_D, VENDOR, Folders

# Where programs that are set-user-ID are installed.
_PROGRAMS = (
    "usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin", "usr/local/sbin", "usr/libexec",
    "usr/lib/polkit-1", "usr/lib/xscreensaver", "run/wrappers/bin",
)  # fmt: skip
_MODULES = ("lib/security", "lib64/security", "usr/lib/security", "usr/lib64/security")
_UNITS = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)


class Unit(NamedTuple):
    """A systemd service."""

    name: str
    file: str
    keyring_mode: str  # private is what systemd takes where nothing is said
    command: str


class Quota(NamedTuple):
    """One user's share of what the kernel allows, from /proc/key-users."""

    user: str
    keys: int
    most_keys: int
    size: int
    most_bytes: int


class Facts(NamedTuple):
    """What `rules` asks of a machine."""

    setuid: frozenset[str] = frozenset()  # names of programs
    absent: frozenset[str] = frozenset()  # modules that stacks name and that are not there
    unsafe: tuple[tuple[str, str], ...] = ()  # a path of ours, and whose else it is
    no_python: str = ""  # the library that pam_pykeyinit.so was built for, and that is gone
    units: tuple[Unit, ...] = ()
    quotas: tuple[Quota, ...] = ()
    refused: str = ""  # the errno's name where keyctl(2) is refused


def folders(root: Path) -> Folders:
    """Where this machine's libpam reads its files.

    Debian's knows @include, and looks for what is included in /etc/pam.d alone.
    """
    libraries = [*root.glob("lib*/libpam.so.0"), *root.glob("lib/*/libpam.so.0")]
    libraries += [*root.glob("usr/lib*/libpam.so.0"), *root.glob("usr/lib/*/libpam.so.0")]
    debian = not libraries or any(b"@include" in path.read_bytes() for path in libraries[:1])
    included = (PAM_D,) if libraries and debian else (PAM_D, *VENDOR)
    return Folders(root, includes=included, at_include=debian)


def look(root: Path, entries: Iterable[Entry]) -> Facts:
    """Look at everything; `entries` are those of the stacks.  Raises OSError."""
    all_ = set(entries)
    ours = [entry for entry in all_ if is_ours(entry)]
    running = root == Path("/")
    loaders = {path for entry in ours if (path := module(root, entry.module)) is not None}
    return Facts(
        setuid=frozenset(_setuid_programs(root)),
        absent=frozenset(entry.module for entry in ours if module(root, entry.module) is None),
        unsafe=tuple(sorted(_unsafe(root, ours, loaders))),
        no_python=_python_gone(root, loaders),
        units=tuple(_units(root)),
        quotas=tuple(_quotas()) if running else (),
        refused=_refused() if running else "",
    )


def is_ours(entry: Entry) -> bool:
    """Whether an entry loads our module, by whichever loader."""
    if entry.name == "pam_python.so":
        return bool(entry.arguments) and Path(entry.arguments[0]).name == "pam_pykeyinit.py"
    return entry.name == "pam_pykeyinit.so"


def module_folders(root: Path) -> list[Path]:
    """Where libpam may look for modules, below a root."""
    found = [root / folder for folder in _MODULES]
    for library in ("lib", "usr/lib"):
        found += sorted((root / library).glob("*/security"))
    return [folder for folder in found if folder.is_dir()]


def module(root: Path, name: str) -> Path | None:
    """A module's file, by its name in a PAM line; None if there is none."""
    wanted = [root / name[1:]] if name.startswith("/") else []
    wanted += [folder / name for folder in module_folders(root) if "/" not in name]
    return next((path for path in wanted if path.is_file()), None)


def _setuid_programs(root: Path) -> Iterator[str]:
    for folder in _PROGRAMS:
        try:
            names = [entry for entry in os.scandir(root / folder) if entry.is_file()]
        except OSError:
            continue
        for entry in names:
            try:
                if entry.stat().st_mode & stat.S_ISUID:
                    yield entry.name
            except OSError:  # it has just gone
                continue


def _unsafe(root: Path, ours: list[Entry], loaders: set[Path]) -> Iterator[tuple[str, str]]:
    """What our lines run, and the folders above it, where not root alone can change it."""
    paths = set(loaders)
    for entry in ours:
        if entry.name == "pam_python.so" and (script := module(root, entry.arguments[0])):
            paths.add(script)
    for path in list(paths):
        packages = re.findall(rb"/[^\0\"]*/pam_pykeyinit(?=[\0\"])", path.read_bytes())
        parents = re.findall(rb'insert\(0, "(/[^"]*)"\)', path.read_bytes())
        for found in (*packages, *(parent + b"/pam_pykeyinit" for parent in parents)):
            folder = root / os.fsdecode(found)[1:]
            if folder.is_dir():
                paths |= {folder, *folder.glob("*.py")}
    for path in paths:
        for part in (path, *path.parents):
            if not part.is_relative_to(root):
                break
            whose = _not_roots(part)
            if whose:
                yield "/" + str(part.relative_to(root)).removeprefix("."), whose


def _not_roots(path: Path) -> str:
    """Who else than root can change it; the rule is that of pam_pykeyinit.so, trust.c."""
    status = path.stat()
    if status.st_uid != 0:
        return f"it belongs to {_user(status.st_uid)}"
    if status.st_mode & stat.S_IWOTH:
        return "everybody can write to it"
    if status.st_mode & stat.S_IWGRP and status.st_gid != 0:
        return f"group {status.st_gid} can write to it"
    return ""


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _python_gone(root: Path, loaders: set[Path]) -> str:
    for path in sorted(loaders):
        for found in re.findall(rb"/[^\0]*/libpython[^\0/]*", path.read_bytes()):
            library = os.fsdecode(found)
            if path.name == "pam_pykeyinit.so" and not (root / library[1:]).exists():
                return library
    return ""


def _units(root: Path) -> Iterator[Unit]:
    """Every systemd service, with its drop-ins; a file of /etc hides one of /usr/lib."""
    files: dict[str, Path] = {}
    for folder in reversed(_UNITS):
        for path in (root / folder).glob("*.service"):
            files[path.name] = path
    for name, path in sorted(files.items()):
        drop_ins: dict[str, Path] = {}
        for folder in reversed(_UNITS):
            drop_ins |= {p.name: p for p in (root / folder / f"{name}.d").glob("*.conf")}
        settings = _settings([path, *(drop_ins[key] for key in sorted(drop_ins))])
        shown = "/" + str(path.relative_to(root))
        mode = settings.get("keyringmode") or "private"
        yield Unit(name, shown, mode, settings.get("execstart", ""))


def _settings(paths: list[Path]) -> dict[str, str]:
    """The [Service] part; what comes later replaces."""
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, delimiters=("=",), allow_no_value=True
    )
    for path in paths:
        try:
            parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
        except (OSError, configparser.Error):  # masked, or systemd's to complain about
            continue
    if not parser.has_section("Service"):
        return {}
    return {key: value for key, value in parser["Service"].items() if value}


def _quotas() -> Iterator[Quota]:
    for uid, used in quota.parse(procfs.text("/proc/key-users")):
        yield Quota(_user(uid), *used)


def _refused() -> str:
    try:
        kernel.get_keyring_id(kernel.USER_KEYRING)  # it is not made by asking
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM, errno.EACCES):
            return errno.errorcode[error.errno]
    return ""
