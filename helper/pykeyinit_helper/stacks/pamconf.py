"""Split a PAM file into lines and words, as libpam does.  Pure.

The rules are those of pam.conf(5) and, where it is silent, of libpam's functions
_pam_assemble_line, _pam_StrTok and _pam_parse_control, before version 1.6.  1.6 reads a few
unusual lines differently: each such line has a fault that says so.
"""

import functools
from typing import NamedTuple

# The action of a control for a return code; a number above zero is a jump
# over that many entries.
IGNORE, OK, DONE, BAD, DIE, RESET = 0, -1, -2, -3, -4, -5

SUCCESS, PERM_DENIED, AUTH_ERR, NEW_AUTHTOK_REQD, SESSION_ERR = 0, 6, 7, 12, 14
MODULE_UNKNOWN, IGNORED = 28, 25

CODES = (
    "success", "open_err", "symbol_err", "service_err", "system_err", "buf_err", "perm_denied",
    "auth_err", "cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries",
    "new_authtok_reqd", "acct_expired", "session_err", "cred_unavail", "cred_expired", "cred_err",
    "no_module_data", "conv_err", "authtok_err", "authtok_recover_err", "authtok_lock_busy",
    "authtok_disable_aging", "try_again", "ignore", "abort", "authtok_expired", "module_unknown",
    "bad_item", "conv_again", "incomplete",
)  # fmt: skip

_ACTIONS = {"ignore": IGNORE, "ok": OK, "done": DONE, "bad": BAD, "die": DIE, "reset": RESET}

# Each named control: its action for success (and for a token that must be changed), for
# PAM_IGNORE, of all else.
_NAMED = {
    "required": (OK, IGNORE, BAD),
    "requisite": (OK, IGNORE, DIE),
    "optional": (OK, IGNORE, IGNORE),
    "sufficient": (DONE, IGNORE, IGNORE),
}

_SPACE = " \t\n\v\f\r"  # isspace(3) in the C locale


class Line(NamedTuple):
    """One line as libpam reads it, with its continuation lines."""

    number: int  # of its first line in the file, from 1
    last: int
    words: tuple[str, ...]
    fault: str = ""  # why versions of libpam read it differently


def fold(word: str) -> str:
    """Lower case as in strcasecmp(3): only ASCII."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in word)


class Cut(NamedTuple):
    """A file that was split into lines, without empty ones."""

    lines: tuple[Line, ...]
    apart: tuple[tuple[int, str], ...]  # lines that libpam since 1.6 splits differently, and why
    wrong: str  # why libpam cannot read the file, or ""


@functools.lru_cache(64)  # most services include the same few files
def lines(text: str) -> Cut:
    """Split a file into lines.  The file is not whole if its last line ends in a backslash."""
    found: list[Line] = []
    apart: list[tuple[int, str]] = []
    begun, parts, since, fault = 0, "", "", ""
    for number, raw in enumerate(_physical(text), 1):
        line, nul, behind = raw.partition("\0")
        ends = [part.rstrip(" \t\n")[-1:] for part in (line, behind)]
        if nul and "#" not in line and "\\" in ends:
            apart.append((number, "a backslash ends what stands before or behind a NUL byte"))
        if line.strip(" \t\n") == "" or line.lstrip(" \t").startswith("#"):
            if begun:
                fault = "after a backslash stands a comment or an empty line"
            continue
        begun = begun or number
        content, comment, _ = line.partition("#")
        bare = content.rstrip(" \t\n")
        goes_on = bare.endswith("\\") and not comment
        part = bare[:-1] + " " if goes_on else content
        parts, since = parts + part, since + part.lstrip(" \t")
        if goes_on:
            continue
        if parts != since and words(parts) != words(since):
            fault = "a backslash stands inside of brackets"
        if len(parts.encode("utf-8", "surrogateescape")) > 1022:
            fault = "it is longer than 1022 bytes"
        found.append(Line(begun, number, words(parts), fault))
        begun, parts, since, fault = 0, "", "", ""
    wrong = "the file ends in a backslash" if begun else ""
    if begun and fault:  # since 1.6 the last line ends there
        wrong += f", and {fault}: libpam reads this one way before 1.6, another since"
    return Cut(tuple(line for line in found if line.words), tuple(apart), wrong)


def _physical(text: str) -> list[str]:
    """The file's lines with their newlines: an unclosed bracket includes the newline."""
    cut = text.split("\n")
    return [*(line + "\n" for line in cut[:-1]), *cut[-1:]]


def words(text: str) -> tuple[str, ...]:
    """Split a line into words.  Text in brackets is one word, without them; `\\]` is `]`."""
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\n":
            at += 1
        if at == len(text):
            return tuple(found)
        if text[at] == "[":
            word, at = _bracketed(text, at + 1)
        else:
            start = at
            while at < len(text) and text[at] not in " \t\n":
                at += 1
            word = text[start:at]
        found.append(word)
        at = min(at + 1, len(text))


def _bracketed(text: str, at: int) -> tuple[str, int]:
    word = ""
    while at < len(text) and text[at] != "]":
        if text.startswith("\\]", at):
            at += 1
        word += text[at]
        at += 1
    return word, at


def module_name(path: str) -> str:
    """The result of libpam's extract_modulename for a module's path; "" if it finds none."""
    name = path.rpartition("/")[2]
    stem = name.rpartition(".")[0] if "." in name else name
    return "" if stem == "?" else stem


@functools.lru_cache(256)
def actions(control: str) -> tuple[int, ...] | None:
    """The action of a control for each return code; None if libpam cannot read it: all is bad."""
    named = _NAMED.get(fold(control))
    if named is not None:
        good, ignored, rest = named
        table = {SUCCESS: good, NEW_AUTHTOK_REQD: good, IGNORED: ignored}
        return tuple(table.get(code, rest) for code in range(len(CODES)))
    return _in_brackets(control)


ALL_BAD = (BAD,) * len(CODES)


def _in_brackets(control: str) -> tuple[int, ...] | None:
    """CODE=ACTION, separated by blanks; a missing code is bad."""
    set_: dict[int, int] = {}
    rest = control.lstrip(_SPACE)
    while rest:
        # The names are compared as prefixes, in libpam's order.
        name = next((name for name in (*CODES, "default") if rest.startswith(name)), None)
        after = rest[len(name) :].lstrip(_SPACE) if name else ""
        if name is None or not after.startswith("="):
            return None
        action, rest = _action(after[1:].lstrip(_SPACE))
        if action is None:
            return None
        if name == "default":
            for code in range(len(CODES)):
                set_.setdefault(code, action)
        else:
            set_[CODES.index(name)] = action
        rest = rest.lstrip(_SPACE)
    return tuple(set_.get(code, BAD) for code in range(len(CODES)))


def _action(text: str) -> tuple[int | None, str]:
    for name, action in _ACTIONS.items():
        if text.startswith(name):
            return action, text[len(name) :]
    digits = ""
    while text[len(digits) : len(digits) + 1] in tuple("0123456789"):
        digits += text[len(digits)]
    if not digits or len(digits) > 10 or not 0 < int(digits) < 2**31:
        return None, text
    return int(digits), text[len(digits) :]
