"""Commands that mend a line of a PAM file, for `check` to print.

Each is one sed(1) command that uses line numbers, so at most one mend of a file is a command.
If
none is safe (a jump passes the place, the line has characters that are special for a shell or
sed, the lines are in pam.conf), the mend is a text for a change by hand.
"""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from pykeyinit_helper.stacks.dispatch import skip
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.folders import PAM_D, VENDOR
from pykeyinit_helper.stacks.pamconf import fold

BY_HAND = "by hand: "
AUTH_OF_OTHER = "auth include other"
_PLAIN = ("required", "requisite", "optional", "sufficient", "include", "substack")

_AGAIN = f"{BY_HAND}apply the mend above for this file, then run check again"

Edit = tuple[int, str]  # the first line that it changes, and sed's command


def one_a_file(mends: Iterable[str]) -> list[str]:
    """Keep the first mend that uses line numbers of a file, because it changes the numbers."""
    changed: set[str] = set()
    kept = []
    for mend in mends:
        file = _file_with_numbers(mend)
        kept.append(_AGAIN if file in changed else mend)
        changed |= {file} - {""}
    return kept


def _file_with_numbers(mend: str) -> str:
    """The file that a sed command changes; "" if the mend is no such command."""
    return shlex.split(mend)[-1] if " && sed -i " in mend or mend.startswith("sed -i ") else ""


def line_of(entry: Entry) -> str:
    """The entry as a line."""
    control = entry.control if fold(entry.control) in _PLAIN else f"[{entry.control}]"
    words = (_bracketed(word) if set(word) & set(" \t[") else word for word in entry.arguments)
    return " ".join((f"{'-' * entry.silent}{entry.kind}", control, entry.module, *words))


def _bracketed(word: str) -> str:
    return "[{}]".format(word.replace("]", "\\]"))


def rewrite(entry: Entry, new: Entry, otherwise: str) -> str:
    """The command that replaces an entry's line."""
    return _command(entry.file, [_change(entry, line_of(new))], otherwise)


def delete(stack: Stack, entry: Entry, otherwise: str) -> str:
    """The command that removes an entry's line."""
    if _jumped_over(stack, entry):
        return BY_HAND + otherwise
    return _command(entry.file, [_delete(entry)], otherwise)


def put_in_place_of(stack: Stack, entry: Entry, other: Entry, text: str, otherwise: str) -> str:
    """The command that replaces one line, and removes another line of the same file."""
    if _jumped_over(stack, other):
        return BY_HAND + otherwise
    return _command(entry.file, [_change(entry, text), _delete(other)], otherwise)


def insert_before(stack: Stack, entry: Entry, text: str, otherwise: str) -> str:
    """The command that inserts a line into the service's own file, before an entry."""
    own = _in_own_file(stack, entry)
    if own is None or _jumped_over(stack, own):
        return BY_HAND + otherwise
    return _command(stack.file, [(own.via, f"{own.via}i {text}")], otherwise)


def with_the_auth_of_other(stack: Stack, text: str, otherwise: str) -> str:
    """The command that gives a service the auth lines of `other` in its own file.

    A single auth line would replace all of them: insert the text, and then these lines.
    """
    if not stack.file:
        return BY_HAND + otherwise
    texts = (*text.splitlines(), AUTH_OF_OTHER)
    return _command(stack.file, [(at, f"1i {each}") for at, each in enumerate(texts)], otherwise)


def move(stack: Stack, entry: Entry, where: str, other: Entry, otherwise: str) -> str:
    """The command that moves an entry's line `before` or `after` another's, or its include.

    Both are in one file, or the entry's line is in the service's own.
    """
    if entry.file == other.file:
        line, last = other.line, other.last or other.line
    elif entry.file == stack.file:
        line = last = other.via
    else:
        return BY_HAND + otherwise
    jumps = max(entry.actions) > 0
    if jumps or _jumped_over(stack, entry) or _jumped_over(stack, other):
        return BY_HAND + otherwise
    put = (line, f"{line}i") if where == "before" else (last, f"{last}a")
    text = (put[0], f"{put[1]} {line_of(entry)}")
    return _command(entry.file, [text, _delete(entry)], otherwise)


def _in_own_file(stack: Stack, entry: Entry) -> Entry | None:
    """The first entry that the same line of the service's own file leads to."""
    if entry.via == 0:
        return None
    if entry.file == stack.file:
        return entry
    same = (each for each in stack.of(entry.kind) if each.via == entry.via)
    return next(same, None) if stack.file else None


def _jumped_over(stack: Stack, entry: Entry) -> bool:
    """Whether a jump of an earlier entry passes or reaches it."""
    entries = stack.of(entry.kind)
    place = entries.index(entry)
    return any(
        skip(entries, at, action)[0] >= place
        for at, before in enumerate(entries[:place])
        for action in set(before.actions)
        if action > 0
    )


def _change(entry: Entry, text: str) -> Edit:
    return entry.line, f"{_lines(entry)}c {text}"


def _delete(entry: Entry) -> Edit:
    return entry.line, f"{_lines(entry)}d"


def _lines(entry: Entry) -> str:
    return f"{entry.line},{entry.last}" if entry.last > entry.line else str(entry.line)


def _command(file: str, edits: Sequence[Edit], otherwise: str) -> str:
    texts = [text for _, text in sorted(edits)]
    good = all(text.isascii() and text.isprintable() and "\\" not in text for text in texts)
    path = Path(file)
    if not good or path == Path("/etc/pam.conf") or not str(path).isprintable():
        return BY_HAND + otherwise
    words = " ".join(f"-e {shlex.quote(text)}" for text in texts)
    if path.parent not in VENDOR:
        return f"sed -i --follow-symlinks {words} {shlex.quote(file)}"
    copy = PAM_D / path.name  # the vendor's file stays: the administrator's hides it
    quoted = shlex.quote(str(copy))
    return f"cp {shlex.quote(file)} {quoted} && sed -i {words} {quoted}"
