"""A trial session through the installed module: does it create a keyring?

The line is alone in a stack of its own, so that no other module runs, and
the machine does not change.
"""

import json
import os
import signal
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper.stacks import pam_calls

_LONGEST = 10  # seconds; a session takes milliseconds
_STACK = """\
auth required pam_permit.so
account required pam_permit.so
session required {line} force revoke
"""


class Broken(NamedTuple):
    """The loader of our lines, and the result of a session through it."""

    loader: str  # "pam_pykeyinit.so", "pam_python.so pam_pykeyinit.py"
    outcome: str


def trial(loader: str) -> Broken | None:
    """Open and close a session of root in a process of its own; None on success.

    Raises ModuleNotFoundError if pamela is not installed, OSError.
    """
    if find_spec("pamela") is None:  # not imported here: see pam_calls
        raise ModuleNotFoundError("No module named 'pamela'", name="pamela")
    with tempfile.TemporaryDirectory(prefix="pykeyinit-helper.") as folder:
        for name in ("check", "other"):
            Path(folder, name).write_text(_STACK.format(line=loader), encoding="utf-8")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _play(folder, writing)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = pipe.read()
        status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return Broken(loader, f"the process that opens it {_death(os.WTERMSIG(status))}")
    outcome = json.loads(said) if said else "the process that opens it fails"
    return Broken(loader, outcome) if outcome else None


def _death(number: int) -> str:
    if number == signal.SIGALRM:
        return f"has not ended in {_LONGEST} seconds"
    return f"is killed by signal {number}"


def _play(folder: str, pipe: int) -> None:
    """In the child: write the error, or "", as JSON."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_LONGEST)
        os.write(pipe, json.dumps(_session(folder)).encode())
    finally:
        os._exit(0)


def _session(folder: str) -> str:
    before = _session_keyring()
    inside: list[int] = []

    def look(when: str) -> None:
        if when == "inside":
            inside.append(_session_keyring())

    for call, code, text in pam_calls.session(
        "check", "root", pam_calls.How(confdir=folder), look
    ):
        if code != 0:
            return f"{call} gives {code} ({text})"
    if {0, before} & set(inside) or not inside:
        return "every call succeeds, and there is no new session keyring"
    if _session_keyring():
        return "its session keyring is not revoked when it is closed"
    return ""


def _session_keyring() -> int:
    """The serial number of the session keyring; 0 if it is revoked, or there is none."""
    try:
        return syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
    except OSError:
        return 0
