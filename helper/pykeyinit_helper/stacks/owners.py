"""The users other than root who can change a file."""

import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pykeyinit_helper.stacks.below import Below


def others_than_root(below: Below, paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Files, and folders above them, that others can change, and who can.

    For a link, both its folder and its target count.
    """
    parts = {part for path in paths for part in (path, *path.parents)}
    reals = {_real(below, part) for part in parts}
    reals |= {above for real in reals for above in real.parents}
    for part in sorted(reals):
        whose = _not_roots(below.status(part))
        if whose:
            yield str(part), whose


def _real(below: Below, path: Path) -> Path:
    """A path without links, as seen from inside the root."""
    if below.root == Path("/"):
        return Path(os.path.realpath(path))
    try:
        return Path("/", below.real(path).relative_to(below.root))
    except OSError:  # links in a circle
        return path


def _not_roots(status: os.stat_result | None) -> str:
    if status is None:
        return ""
    if status.st_uid != 0:
        return f"it belongs to {user(status.st_uid)}"
    if status.st_mode & stat.S_IWOTH:
        return "everybody can write to it"
    # For any group: with an access control list, these bits are its mask.
    if status.st_mode & stat.S_IWGRP:
        return f"group {status.st_gid} can write to it"
    return ""


def user(uid: int) -> str:
    """A user's name, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
