"""The private world that build-aux/world.sh makes, seen from the tests."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS_ROOT = "needs root and keyrings: sudo ./setup test"

# Which loader runs our module: what stands in a PAM line before the options.
LOADERS = {
    "native": "pam_pykeyinit.so",
    "pam_python": "pam_python.so pam_pykeyinit.py",
}
ORACLE = "pam_keyinit.so"


def folder() -> Path | None:
    """The world's folder, or None outside of one."""
    name = os.environ.get("WORLD")
    return Path(name) if name else None


def first_uid() -> int:
    """The first of the 100 uids that are this world's; its users with names have 5 of them."""
    return int(os.environ.get("WORLD_UIDS", "61001"))


def skip(reason: str) -> None:
    """Skip a test that needs privileges.  In CI nothing may be skipped for want of them."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"skipped in CI: {reason}")
    pytest.skip(reason)


def build_driver(where: Path) -> Path:
    """Compile pamdrive; the path of the program."""
    setup = ["meson", "setup", "-Dtests=true", str(where), str(ROOT)]
    for command in (setup, ["ninja", "-C", str(where)]):
        subprocess.run(command, check=True, capture_output=True)
    return where / "tests/driver/pamdrive"


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
