"""Commands that mend a line of a PAM file: what `check` prints for the administrator to run.

Each is one sed(1) that changes lines by their numbers, as `check` has just read them; so that
of one file no more than one mend is a command.  Where
none would be safe (a jump leads over the place, the line has what a shell or sed takes for
something else, a service's lines are all in pam.conf), it says what to do by hand.
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

Edit = tuple[int, str]  # the first line that it is about, and sed's command


def one_a_file(mends: Iterable[str]) -> list[str]:
    """Of several that go by the numbers of one file's lines, the first: it changes the numbers."""
    changed: set[str] = set()
    kept = []
    for mend in mends:
        file = _file_with_numbers(mend)
        kept.append(_AGAIN if file in changed else mend)
        changed |= {file} - {""}
    return kept


def _file_with_numbers(mend: str) -> str:
    """The file that a command of sed's changes; "" if the mend is no such command."""
    return shlex.split(mend)[-1] if " && sed -i " in mend or mend.startswith("sed -i ") else ""


def line_of(entry: Entry) -> str:
    """The entry as a line."""
    control = entry.control if fold(entry.control) in _PLAIN else f"[{entry.control}]"
    words = (_bracketed(word) if set(word) & set(" \t[") else word for word in entry.arguments)
    return " ".join((f"{'-' * entry.silent}{entry.kind}", control, entry.module, *words))


def _bracketed(word: str) -> str:
    return "[{}]".format(word.replace("]", "\\]"))


def rewrite(entry: Entry, new: Entry, otherwise: str) -> str:
    """The command that writes a new line over an entry's."""
    return _command(entry.file, [_change(entry, line_of(new))], otherwise)


def delete(stack: Stack, entry: Entry, otherwise: str) -> str:
    """The command that takes out an entry's line."""
    if _jumped_over(stack, entry):
        return BY_HAND + otherwise
    return _command(entry.file, [_delete(entry)], otherwise)


def put_in_place_of(stack: Stack, entry: Entry, other: Entry, text: str, otherwise: str) -> str:
    """The command that writes a text over one line and takes out another of the same file."""
    if _jumped_over(stack, other):
        return BY_HAND + otherwise
    return _command(entry.file, [_change(entry, text), _delete(other)], otherwise)


def insert_before(stack: Stack, entry: Entry, text: str, otherwise: str) -> str:
    """The command that puts a line into the service's own file, before what leads to an entry."""
    own = _in_own_file(stack, entry)
    if own is None or _jumped_over(stack, own):
        return BY_HAND + otherwise
    return _command(stack.file, [(own.via, f"{own.via}i {text}")], otherwise)


def with_the_auth_of_other(stack: Stack, text: str, otherwise: str) -> str:
    """The command by which a service that has the auth lines of `other` has them in its own file.

    A first auth line alone would take the place of all of them: so the text, and then those.
    """
    if not stack.file:
        return BY_HAND + otherwise
    texts = (*text.splitlines(), AUTH_OF_OTHER)
    return _command(stack.file, [(at, f"1i {each}") for at, each in enumerate(texts)], otherwise)


def move(stack: Stack, entry: Entry, where: str, other: Entry, otherwise: str) -> str:
    """The command that moves an entry's line `before` or `after` another's, or what leads there.

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
    """Whether a jump of an entry before leads over it, or to it."""
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
    copy = PAM_D / path.name  # the vendor's stays: the administrator's hides it
    quoted = shlex.quote(str(copy))
    return f"cp {shlex.quote(file)} {quoted} && sed -i {words} {quoted}"
