"""The Python inside pam_pykeyinit_python.so, and whether the system's is newer.

The loader has it in an ELF note of its own, which the build writes (loader/python.c).
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

from pykeyinit_helper.stacks import dpkg
from pykeyinit_helper.stacks.below import LIBRARY, Below

FILE = "pam_pykeyinit_python.so"
_NOTE = re.compile(rb"pam_pykeyinit\0+Python ([0-9][0-9.]*)[^\0 ]*(?: \(([^ \0]+) ([^)\0]+)\))?\0")
_BEGINNING = 64 * 1024  # bytes: the linker puts notes first


class Inside(NamedTuple):
    """A version, and the Debian package with its version that it was linked from, or ""."""

    version: str
    package: str
    package_version: str

    def __str__(self) -> str:
        linked = f" ({self.package} {self.package_version})" if self.package else ""
        return f"Python {self.version}{linked}"


def read(below: Below, file: Path) -> Inside | None:
    """The version inside a file; None if the file has no note.  Raises OSError."""
    found = _NOTE.search(below.read(file, LIBRARY)[:_BEGINNING])
    return (
        Inside(*((part or b"").decode("ascii", "replace") for part in found.groups()))
        if found
        else None
    )


def newer(below: Below, inside: Inside) -> str:
    """The system's Python of that minor version, if it is newer; otherwise ""."""
    minor = ".".join(inside.version.split(".")[:2])
    if inside.package and dpkg.is_there():
        package = f"libpython{minor}-minimal"
        there = dpkg.installed(below, package)
        return f"{package} {there}" if there and dpkg.later(there, inside.package_version) else ""
    running = ".".join(map(str, sys.version_info[:3]))
    same = below.root == Path("/") and running.startswith(f"{minor}.")
    return f"Python {running}" if same and _numbers(running) > _numbers(inside.version) else ""


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
