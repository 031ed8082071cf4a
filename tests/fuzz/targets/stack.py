"""The parser of PAM stacks, compared with the machine's libpam.

The data contains the files, separated by a line of "%": the service, three that can be included,
and "other".  $M is a module that records its arguments, $N a missing one, and $0, $1 and $2 are
the files that can be included.  Inputs cannot name anything else, so that libpam never loads a
module of the machine or reads one of its files.
"""

import functools
import re
import subprocess
import tempfile
from pathlib import Path

from fuzz.libpam import CALLS, Answer, Libpam
from helper.stacks.walk import calls
from pykeyinit_helper.stacks import pamconf, stack
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.folders import Folders

MODULES = tuple(f"pykeyinit_helper.stacks.{name}" for name in ("pamconf", "reader", "dispatch"))
WORDS = (
    "session", "auth", "account", "password", "-session", "SESSION", "required", "requisite",
    "sufficient", "optional", "include", "substack", "@include", "[", "]", "\\]", "\\\n", "#",
    "%\n", "success=", "default=", "ignore=", "new_authtok_reqd=", "ok", "done", "bad", "die",
    "reset", "=1", "=2", "session required $M\n", "session [success=1 default=ignore] $M\n",
    "auth sufficient $M code=7\n", "session substack $0\n", "@include $1\n", "$M", "$N", "$0",
    "$1", "$2", "code=", "code=25", "code=6",
)  # fmt: skip

_FILES = ("svc", "inc0", "inc1", "inc2", "other")
_MOST_BYTES = 3000  # libpam's buffer for a line; the two differ in errors of longer lines
_MOST_INCLUDES = 8  # nested includes take too long
# The return codes of the module; libpam treats PAM_INCOMPLETE and the limits of int specially.
_CODES = ("0", "3", "6", "7", "12", "14", "25", "28", "99")
_NOTE = Path(__file__).parents[2] / "helper/stacks/pam_note.c"


class _Folder:
    """The folder of the files and the module."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="fuzz-stack."))
        self.module = self.path / "note"  # a name without ".so", as in inputs
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", self.module, _NOTE], check=True)
        self.libpam = Libpam(self.path)
        (self.path / "svc").write_text(f"session required {self.module} here\n")
        (self.path / "other").write_text("")
        assert self.libpam.ask() == ("open_session\there\n", [6, 6, 0])  # or all would agree


@functools.cache
def _folder() -> _Folder:
    return _Folder()


def check(data: bytes) -> None:
    """The parser raises nothing, and agrees with libpam."""
    real = _folder()
    named = {b"$M": bytes(real.module), b"$N": b"/no/such.so"}
    for number in range(3):
        named[b"$%d" % number] = bytes(real.path / f"inc{number}")
    if sum(data.count(b"$%d" % number) for number in range(3)) > _MOST_INCLUDES:
        return
    parts = data.split(b"%\n")
    for name, text in zip(_FILES, [*parts, *[b""] * len(_FILES)], strict=False):
        for word, value in named.items():
            text = text.replace(word, value)
        (real.path / name).write_bytes(text)
    folders = Folders(services=(real.path,), includes=(real.path,))
    found = stack.read("svc", folders)
    if _is_comparable(data, found, stack.read("other", folders)):
        expected = _predicted(found, str(real.module))
        if real.libpam.ask() != expected:
            real.libpam.forget()  # try again: earlier files may have damaged its memory
            said = real.libpam.ask()
            assert said in (None, expected), (said, expected)


def _is_comparable(data: bytes, found: Stack, other: Stack) -> bool:
    """Whether all names are ours, and every version of libpam does the same."""
    if b"/" in data or b".so" in data or len(data) > _MOST_BYTES or re.search(rb"[0-9]{9}", data):
        return False
    words = [word for entry in found.entries for word in entry.arguments]
    codes = [word[5:] for word in words if word.startswith("code=")]
    # libpam follows a circle 16 times, which takes minutes; an include without a name crashes it.
    apart = ("before 1.6", "of nothing", "includes itself")
    troubles = (*found.troubles, *other.troubles)
    if any(words in trouble.text for trouble in troubles for words in apart):
        return False
    return all(code in _CODES for code in codes)


def _predicted(found: Stack, module: str) -> Answer:
    """The expected answer of Libpam.ask()."""

    def code_of(entry: Entry) -> int:
        if entry.module != module:
            return pamconf.MODULE_UNKNOWN
        return int(next((word[5:] for word in entry.arguments[::-1] if word[:5] == "code="), "0"))

    return calls(found, CALLS, code_of, lambda entry: entry.module == module)
