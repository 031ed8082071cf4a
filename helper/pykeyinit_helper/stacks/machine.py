"""Gather the facts of a machine that affect the keyrings of its logins.

`rules` judges them.  All paths are below a root, so that another
system's folder can be examined; facts of the running kernel are then left out.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pam_pykeyinit
import pykeyinit_helper
from pam_pykeyinit.kernel import procfs, syscalls
from pam_pykeyinit.policies import quota
from pykeyinit_helper.stacks import dpkg, inside, installed, ours, owners, sshd_config, units
from pykeyinit_helper.stacks.below import LIBRARY, Below
from pykeyinit_helper.stacks.entries import Entry
from pykeyinit_helper.stacks.folders import PAM_D, VENDOR, Folders
from pykeyinit_helper.stacks.installed import Broken
from pykeyinit_helper.stacks.ours import is_ours as is_ours
from pykeyinit_helper.stacks.sshd_config import UsePam
from pykeyinit_helper.stacks.units import Unit

# Folders of set-user-ID programs.
_PROGRAMS = (
    "usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin", "usr/local/sbin", "usr/libexec",
    "usr/lib/polkit-1", "usr/lib/xscreensaver", "run/wrappers/bin",
)  # fmt: skip
_LIBRARIES = ("lib", "lib64", "usr/lib", "usr/lib64")
# Debian's version of libpam that searches includes in all folders of services.
_SEARCHES_ALL_SINCE = "1.7.0-6~"
# It exists if a policy can be loaded: selinuxfs is mounted, and Linux was started with SELinux.
_SELINUX = Path("/sys/fs/selinux/enforce")


class Quota(NamedTuple):
    """One user's quota, from /proc/key-users."""

    user: str
    keys: int
    most_keys: int
    size: int
    most_bytes: int


class Unsafe(NamedTuple):
    """A file of a login, or a folder above it, that users other than root can change."""

    path: str
    whose: str  # who else can change it
    why: str
    sticky: bool = False  # a folder above it, which everybody may write on purpose, as /tmp


class Facts(NamedTuple):
    """The facts for `rules`."""

    setuid: frozenset[str] = frozenset()  # names of programs
    absent: frozenset[str] = frozenset()  # modules and scripts, ours or similar, not found
    unsafe: tuple[Unsafe, ...] = ()
    old: tuple[tuple[str, str, str], ...] = ()  # a file, the Python inside, the system's
    broken: tuple[Broken, ...] = ()  # the results of trial sessions
    units: tuple[Unit, ...] = ()
    no_pam: UsePam | None = None  # the place of UsePAM no
    quotas: tuple[Quota, ...] = ()
    refused: str = ""  # the errno's name if keyctl(2) is refused
    selinux: bool = False  # whether SELinux is on


def folders(root: Path) -> Folders:
    """The folders of this machine's libpam.

    Debian's libpam knows @include.  Before 1.7.0-6 it searches includes only in /etc/pam.d.
    """
    below = Below(root)
    libraries = [path / "libpam.so.0" for path in _library_folders(below)]
    library = next((path for path in libraries if below.is_file(path)), None)
    debian = library is None or b"@include" in below.read(library, LIBRARY)
    included: tuple[Path, ...] = (PAM_D, *VENDOR)
    if library is not None and debian and not _searches_all(below):
        included = (PAM_D,)
    return Folders(root, includes=included, at_include=debian)


def _searches_all(below: Below) -> bool:
    version = dpkg.installed(below, "libpam0g") if dpkg.is_there() else ""
    return version != "" and dpkg.later(version, _SEARCHES_ALL_SINCE)


def look(place: Folders, entries: Iterable[Entry], ignoring: Path | None = None) -> Facts:
    """Gather all facts; `entries` are those of the stacks.  Raises OSError.

    `ignoring` is a file that silences findings, if there is one.
    """
    below, all_ = place.below, set(entries)
    lines = [entry for entry in all_ if is_ours(entry)]
    absent = frozenset(_absent(below, all_))
    running = below.root == Path("/")
    refused = _refused() if running else ""
    return Facts(
        setuid=frozenset(_setuid_programs(below, all_)),
        absent=absent,
        unsafe=tuple(_unsafe(place, lines, ignoring)),
        old=tuple(_old(below, lines)),
        broken=tuple(_broken(below, lines, absent)) if running and not refused else (),
        units=tuple(units.read(below)),
        no_pam=sshd_config.switched_off(below),
        quotas=tuple(_quotas()) if running else (),
        refused=refused,
        selinux=running and _SELINUX.exists(),
    )


def _library_folders(below: Below) -> list[Path]:
    """The library folders: lib and the like, and their folders of architectures."""
    found = []
    for name in _LIBRARIES:
        folder = Path("/", name)
        inside = [] if name.endswith("64") else below.names(folder)
        architectures = [each for each in inside if each.count("-") >= 2]
        found += [folder, *(folder / each for each in architectures)]
    return found


def module(below: Below, name: str) -> Path | None:
    """The file of a module, by its name in a PAM line; None if there is none."""
    wanted = [Path(name)] if name.startswith("/") else []
    if "/" not in name:
        wanted = [folder / "security" / name for folder in _library_folders(below)]
    return next((path for path in wanted if below.is_file(path)), None)


def _absent(below: Below, entries: Iterable[Entry]) -> Iterator[str]:
    names = {name for entry in entries for name in ours.files_of(entry)}
    return (name for name in names if module(below, name) is None)


def _setuid_programs(below: Below, entries: Iterable[Entry]) -> Iterator[str]:
    """Their names, where a line has pam_python.so: no other rule asks for them."""
    if not any(entry.name == ours.PAM_PYTHON for entry in entries):
        return
    for name in _PROGRAMS:
        folder = Path("/", name)
        for program in below.names(folder):
            status = below.status(folder / program)
            if status and stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_ISUID:
                yield program


def _unsafe(place: Folders, lines: list[Entry], ignoring: Path | None) -> Iterator[Unsafe]:
    """The files of a login that users other than root can change."""
    below = place.below
    who = "anybody who may write it"
    asked: list[tuple[str, set[Path]]] = [
        (f"libpam reads it: {who} chooses what every login runs as root", set(_pam_files(place))),
        (f"libpam loads it: {who} runs code in every login, as root", set(_loaded(below, lines))),
        (
            f"pam_python.so runs it: {who} runs code in every login, as root",
            set(_scripts(below, lines)),
        ),
    ]
    if below.root == Path("/"):
        own = [Path(found) for found in (*pam_pykeyinit.__path__, *pykeyinit_helper.__path__)]
        scripts = {each / name for each in own for name in below.names(each) if _is_script(name)}
        asked.append((f"pykeyinit-helper runs it: {who} runs code as root, who calls it", scripts))
    if ignoring is not None and below.is_file(ignoring):
        asked.append((f"it silences `check`: {who} hides what is wrong", {ignoring}))
    seen: set[str] = set()
    for what, paths in asked:
        for path, whose in owners.others_than_root(below, paths):
            if path not in seen:
                seen.add(path)
                status = below.status(Path(path))
                sticky = status is not None and bool(status.st_mode & stat.S_ISVTX)
                yield Unsafe(path, whose, what, sticky and Path(path) not in paths)


def _is_script(name: str) -> bool:
    return name.endswith(".py")


def _pam_files(place: Folders) -> Iterator[Path]:
    for folder in place.services:
        if place.below.status(folder) is not None:
            yield folder
        for name in place.below.names(folder):
            if place.below.is_file(folder / name):
                yield folder / name


def _loaded(below: Below, lines: list[Entry]) -> Iterator[Path]:
    names = {name for entry in lines for name in ours.files_of(entry) if name.endswith(".so")}
    found = (module(below, name) for name in names)
    return (path for path in found if path is not None)


def _old(below: Below, lines: list[Entry]) -> Iterator[tuple[str, str, str]]:
    """Our loaders whose Python is older than the system's of the same minor version."""
    for name in sorted({ours.interpreter(each.module) for each in lines if ours.is_native(each)}):
        path = module(below, name)
        has = inside.read(below, path) if path else None
        system = inside.newer(below, has) if has else ""
        if system:
            yield str(path), str(has), system


def _scripts(below: Below, lines: list[Entry]) -> Iterator[Path]:
    """Our script for pam_python.so, and the package that it imports."""
    for name in {entry.arguments[0] for entry in lines if entry.name == ours.PAM_PYTHON}:
        script = module(below, name)
        if script is None:
            continue
        yield script
        try:
            text = below.read(script)
        except OSError:
            continue
        for parent in re.findall(rb'insert\(0, "(/[^"]{1,4096})"\)', text):
            folder = Path(os.fsdecode(parent), "pam_pykeyinit")
            if below.status(folder) is not None:
                yield folder
                yield from (folder / name for name in below.names(folder) if _is_script(name))


def _broken(below: Below, lines: list[Entry], absent: frozenset[str]) -> Iterator[Broken]:
    """The results of trial sessions, one for each loader that our lines name."""
    ways = {ours.loader(entry) for entry in lines if not absent & set(ours.files_of(entry))}
    if ways and os.geteuid() != 0:
        below.unseen.add("a trial session")
        return
    for way in sorted(ways):
        try:
            found = installed.trial(way)
        except ModuleNotFoundError as missing:
            below.unseen.add(f"a trial session ({missing})")
            return
        if found is not None:
            yield found


def _quotas() -> Iterator[Quota]:
    for uid, used in quota.parse(procfs.text("/proc/key-users")):
        yield Quota(owners.user(uid), *used)


def _refused() -> str:
    try:
        syscalls.get_keyring_id(syscalls.USER_KEYRING)  # asking for it does not create it
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM, errno.EACCES):
            return errno.errorcode[error.errno]
    return ""
