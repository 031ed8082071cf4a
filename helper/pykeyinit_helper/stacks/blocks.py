"""The comments around the line of `enable`: write and remove them.  Pure.

The old lines are kept between them as comments, so that `disable` can restore them without
another file.  A block without our line only removes a line.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pykeyinit_helper.stacks.ours import nearest
from pykeyinit_helper.stacks.pamconf import Line, lines

OURS, THEIRS = "pam_pykeyinit.so", "pam_keyinit.so"
SESSION, AUTH = (f"{kind} optional {OURS}" for kind in ("session", "auth"))

BEGIN = "# pykeyinit-helper: what enable put here"
_COPIED = ", into a copy of the vendor's file"
_WAS = "#was: "
_END = "# pykeyinit-helper: end; `pykeyinit-helper disable` puts back what was here"


class NotUnderstood(Exception):
    """Why a file is not changed; `elsewhere` is the service whose file prevents it."""

    def __init__(self, why: str, elsewhere: str = "") -> None:
        super().__init__(why)
        self.elsewhere = elsewhere


def write(was: Sequence[str], ours: Sequence[str], *, copied: bool) -> list[str]:
    """The rows of a block: our line, or none, instead of the rows `was`."""
    return [BEGIN + (_COPIED if copied else ""), *(_WAS + row for row in was), *ours, _END]


def words_of_ours(line: Line) -> tuple[str, ...] | None:
    """The options of a line of our module, with either loader; None for another line."""
    rest = line.words[2:]
    names = [word.rpartition("/")[2] for word in rest[:2]]
    if names[:1] == ["pam_python.so"] and names[1:] == ["pam_pykeyinit.py"]:
        return rest[2:]
    return rest[1:] if names and nearest(names[0]) == OURS else None


def is_theirs(line: Line) -> bool:
    """Whether a line is pam_keyinit's, or looks like one."""
    return line.words[2:3] != () and nearest(line.words[2].rpartition("/")[2]) == THEIRS


def take_out(text: str) -> tuple[str, bool]:
    """The file without the lines of `enable`, and whether it is a copy of the vendor's.

    The same text if `enable` has not changed it.  Raises NotUnderstood.
    """
    rows, copied = text.split("\n"), False
    for begin, end in reversed(list(_blocks(rows))):
        copied = copied or rows[begin].endswith(_COPIED)
        rows[begin : end + 1] = _was_there(rows[begin + 1 : end], begin + 2)
    return "\n".join(rows), copied


def words(text: str) -> tuple[str, ...] | None:
    """The current options of the line of `enable`; None without one."""
    rows = text.split("\n")
    for begin, end in _blocks(rows):
        for line in lines("\n".join(rows[begin + 1 : end])).lines:
            if (found := words_of_ours(line)) is not None:
                return found
    return None


def _blocks(rows: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The first and the last row of each block.  Raises NotUnderstood."""
    begins = [at for at, row in enumerate(rows) if row.startswith(BEGIN)]
    for begin, following in pairwise([*begins, len(rows)]):
        if _END not in rows[begin:following]:
            raise NotUnderstood("the comments of `enable` were changed")
        yield begin, rows.index(_END, begin)


def _was_there(inside: Sequence[str], first: int) -> list[str]:
    """The rows of a block that stay when it is removed.  Raises NotUnderstood.

    The old lines; pam_keyinit's line, if it was uncommented; and other
    comments.  Our line is removed, even if it was edited.
    """
    stay = [row.removeprefix(_WAS) for row in inside if row.startswith(_WAS)]
    others = [(at, row) for at, row in enumerate(inside) if not row.startswith(_WAS)]
    held: set[int] = set()
    for line in lines("\n".join(row for _, row in others)).lines:
        here = others[line.number - 1 : line.last]
        held.update(at for at, _ in here)
        if is_theirs(line):
            stay += [row for _, row in here if row not in stay]
        elif words_of_ours(line) is None:
            raise NotUnderstood(
                f"line {first + here[0][0]}: between the comments of `enable` stands more"
            )
    return stay + [row for at, row in others if at not in held and _is_somebodys(row)]


def _is_somebodys(row: str) -> bool:
    """Whether a comment is not our line, commented out."""
    line = Line(1, 1, tuple(row.lstrip("# \t").split()))
    return bool(line.words) and words_of_ours(line) is None
