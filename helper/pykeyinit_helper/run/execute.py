"""Start a program in place of this process."""

import posix
import sys
from errno import EACCES, ENOENT, ENOEXEC, ENOTDIR, EPERM

from pam_pykeyinit.log import printable
from pykeyinit_helper.saying import say

# The exit status, as in env(1).
HELPER_FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127


def restore_signals() -> None:
    """Restore the two signals that the interpreter ignores.

    interpreter.c has recorded which of them were ignored before.  Without interpreter.c both get
    their default action, which nearly every program expects.
    """
    import _signal  # type: ignore[import-not-found]  # signal would import enum

    before = sys._xoptions.get("ignored", "")
    for name in ("SIGPIPE", "SIGXFSZ"):
        if name not in str(before).split(","):
            _signal.signal(getattr(_signal, name), _signal.SIG_DFL)


def execute(program: "list[str]") -> int:
    """Execute the program in place of this process, as execvp(3); returns only if that fails."""
    restore_signals()
    name = program[0]
    if "/" in name:
        candidates = [name]
    else:
        path = posix.environ.get(b"PATH", b"/bin:/usr/bin").decode("utf-8", "surrogateescape")
        candidates = [f"{folder or '.'}/{name}" for folder in path.split(":")] if name else []
    refusal: OSError | None = None
    for candidate in candidates:
        error = _exec(candidate, program)
        if error.errno not in (ENOENT, ENOTDIR) and refusal is None:
            refusal = error
            if error.errno != EACCES:
                break
    if refusal is None:
        say(f"{printable(name)}: no such program (name it by its path, or see PATH)")
        return NOT_FOUND
    hint = " (is it a file, with execute permission for this user?)"
    known = refusal.errno in (EACCES, EPERM)
    say(f"cannot execute {name}: {refusal.strerror}{hint if known else ''}")
    return NOT_EXECUTABLE


def _exec(path: str, program: "list[str]") -> OSError:
    try:
        try:
            posix.execv(path, program)
        except OSError as error:
            if error.errno != ENOEXEC:
                raise
            posix.execv("/bin/sh", ["/bin/sh", path, *program[1:]])
    except OSError as error:
        return error
    raise AssertionError("execv returned")
