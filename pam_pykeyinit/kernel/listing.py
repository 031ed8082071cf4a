"""Parse /proc/keys, proc(5).  Pure.

The creator of a key chooses its description, which may contain newlines, and can let others view
the key here.  So any user can forge a line: if a key is listed twice, neither line is used.
"""

_HEXADECIMAL = frozenset("0123456789abcdef")


class Row:
    """A key as proc_keys_show() in the kernel prints it, also a revoked or expired one.

    `usage` is "0" if the key is gone and only waits to be collected; `mask`, `owner` and `group`
    are the kernel's numbers, or forged; `expires` is "perm", "expd" or the remaining time, as
    "5m"; `kind` has at most nine letters; `text` is the description, for most types with
    ": " and a summary, up to the first newline.
    """

    __slots__ = ("expires", "flags", "group", "kind", "mask", "owner", "text", "usage")

    def __init__(self, columns: "list[str]", kind: str, text: str) -> None:
        _, self.flags, self.usage, self.expires, self.mask, self.owner, self.group, _ = columns
        self.kind = kind
        self.text = text


def rows(table: str) -> "dict[int, Row]":
    """The rows by serial number; only "\\n" ends one."""
    found: "dict[int, Row | None]" = {}
    for line in table.split("\n"):
        serial, columns = _serial(line), line.split(None, 7)
        if serial and len(columns) == 8:
            kind, text = columns[7][:9].rstrip(), columns[7][10:]
            row = Row(columns, kind, text)
            found[serial] = None if serial in found else row
    return {serial: row for serial, row in found.items() if row is not None}


def _serial(line: str) -> int:
    """The serial number at the beginning of a line, or 0."""
    word = line[:8]
    good = len(word) == 8 and line[8:9] == " " and _HEXADECIMAL.issuperset(word)
    return int(word, 16) if good else 0
