"""The private world that build-aux/world.sh makes, seen from the tests."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
NEEDS_ROOT = "needs root and keyrings: sudo ./setup test"
LEFT_OUT = "left out: "
BUILD = "PYKEYINIT_BUILD"

# The loaders of our module: the start of a PAM line, before the options.
LOADERS = {
    "native": "pam_pykeyinit.so",
    "pam_python": "pam_python.so pam_pykeyinit.py",
}
ORACLE = "pam_keyinit.so"
USERS = ("passwd", "group", "shadow", "nsswitch.conf")


def kind(loader: str) -> str:
    """The name of a loader, from the start of its PAM line."""
    return next(name for name, line in LOADERS.items() if line == loader)


def folder() -> Path | None:
    """The world's folder, or None outside of one."""
    name = os.environ.get("WORLD")
    return Path(name) if name else None


def keep_users() -> None:
    """Restore this world's users after a package was installed on the machine.

    A group is added by renaming a new file to /etc/group.  The kernel then unmounts what was
    mounted at the old file, in every mount namespace.
    """
    top = folder()
    # A test may have an /etc of its own, in the world's folder.
    if top is None or Path("/etc").stat().st_dev == top.stat().st_dev:
        return
    for name in USERS:
        mine, path = top / "etc" / name, Path("/etc", name)
        if path.exists() and not path.samefile(mine):
            subprocess.run(["mount", "--bind", mine, path], check=True)


def first_uid() -> int:
    """The first of the 100 uids of this world; its users with names have 5 of them."""
    return int(os.environ.get("WORLD_UIDS", "61001"))


def in_ci() -> bool:
    """Whether no test may be skipped because the machine lacks something."""
    return os.environ.get("CI") == "true"


def skip(reason: str) -> NoReturn:
    """Skip a test that needs privileges.  In CI this is a failure."""
    if in_ci():
        pytest.fail(f"skipped in CI: {reason}")
    pytest.skip(reason)


def need_user_namespaces() -> None:
    """Skip a test if user namespaces cannot be created, as in a chroot: user_namespaces(7)."""
    tried = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True)
    if tried.returncode:
        skip(f"no user namespaces: a chroot, or user.max_user_namespaces: {tried.stderr.strip()}")


def leave_out(reason: str) -> NoReturn:
    """Skip a test that needs an option or another release, also in CI."""
    pytest.skip(f"{LEFT_OUT}{reason}")


def build_driver(where: Path) -> Path:
    """The path of pamdrive: $PAMDRIVE, as where there is no compiler, or compiled in a folder."""
    made = os.environ.get("PAMDRIVE")
    if made:
        return Path(made)
    setup = ["meson", "setup", "-Dloader=false", "-Dtests=true", str(where), str(ROOT)]
    for command in (setup, ["ninja", "-C", str(where)]):
        subprocess.run(command, check=True, capture_output=True)
    return where / "tests/driver/pamdrive"


def copy_of_sources(where: Path) -> Path:
    """A copy of this tree in a new folder, to change it."""
    ignored = shutil.ignore_patterns(".git", "__pycache__", "build", "dist", ".hypothesis")
    return Path(shutil.copytree(ROOT, where, ignore=ignored))


def kept_build() -> dict[str, str]:
    """The environment in which install.sh does not build again what test.sh has built."""
    return {BUILD: os.environ[BUILD]} if BUILD in os.environ else {}


def uid(user: str) -> int:
    """The uid of a user of this world."""
    return pwd.getpwnam(user).pw_uid


def gid(user: str) -> int:
    """The gid of a user of this world."""
    return pwd.getpwnam(user).pw_gid


def owner(serial: int) -> int:
    """The uid that owns a key, from /proc/keys."""
    for line in Path("/proc/keys").read_text().splitlines():
        fields = line.split()  # a description may have lines of its own
        if fields[:1] == [f"{serial:08x}"]:
            return int(fields[5])
    raise LookupError(serial)
