"""Facts about the calling process: the parent's shell, and the user namespace."""

import os
import shutil
import sys
from pathlib import Path
from shlex import quote

from pam_pykeyinit.log import printable

# Names of shells.  A program with another name may be no shell.
_SHELLS = frozenset("ash bash csh dash fish ksh ksh93 mksh sh tcsh yash zsh".split())

_ALL_OF_THEM = ["0", "0", "4294967295"]  # the first user namespace, user_namespaces(7)


def shell() -> str:
    """The program of the calling shell; "sh" if it is no shell, or hidden.

    Not $SHELL: sudo sets it to that of the target, which may be nologin(8).
    """
    try:
        program = Path(f"/proc/{os.getppid()}/exe").readlink()
    except OSError:
        return "sh"
    return str(program) if program.name in _SHELLS else "sh"


def helper() -> str:
    """This program, by its name if a shell finds it by that name."""
    found = shutil.which("pykeyinit-helper")
    return "pykeyinit-helper" if found else quote(str(Path(sys.argv[0]).resolve()))


def status(process: int) -> dict[str, str]:
    """/proc/PID/status of a process; empty if it is hidden."""
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return {}


def name(process: int) -> str:
    """The name of a process, or "?"."""
    return printable(status(process).get("Name", "?"))


def unfit(process: int) -> list[str]:
    """The conditions of KEYCTL_SESSION_TO_PARENT that a parent does not meet."""
    conditions = []
    reported = status(process)
    if process <= 1:
        conditions.append("the parent is init, or in another PID namespace")
    for what, mine in (("Uid", os.geteuid()), ("Gid", os.getegid())):
        ids = reported.get(what, "").split()[:3]
        if ids and set(ids) != {str(mine)}:
            which = f"real, effective and saved {what.lower()} of process {process}"
            conditions.append(f"{which} must all be {mine}, and are {' '.join(ids)}")
    threads = reported.get("Threads", "1").strip()
    if threads != "1":
        conditions.append(f"process {process} has {threads} threads, and must have 1")
    return conditions


def in_user_namespace() -> bool:
    """Whether this is not the first user namespace; without /proc the answer is no."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return file.read().split() != _ALL_OF_THEM
    except OSError:
        return False
