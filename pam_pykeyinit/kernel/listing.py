"""What /proc/keys lists, proc(5).  Pure.

A key's description is its maker's choice and may have the ends of lines in it, and who lets
others view a key shows it to them here.  So a line may be anybody's: what is said of one key
twice is not believed.
"""

_HEXADECIMAL = frozenset("0123456789abcdef")


class Row:
    """A key as the kernel's proc_keys_show() has it, also a revoked or expired one.

    `expires` is "perm", "expd" or what is left, as "5m"; `kind` has nine letters at most;
    `text` is the description, and for most types ": " and a summary, up to a line's end.
    """

    __slots__ = ("expires", "flags", "kind", "text")

    def __init__(self, flags: str, expires: str, kind: str, text: str) -> None:
        self.flags = flags
        self.expires = expires
        self.kind = kind
        self.text = text


def rows(table: str) -> "dict[int, Row]":
    """The rows by serial number; only "\\n" ends one."""
    found: "dict[int, Row | None]" = {}
    for line in table.split("\n"):
        serial, columns = _serial(line), line.split(None, 7)
        if serial and len(columns) == 8:
            kind, text = columns[7][:9].rstrip(), columns[7][10:]
            row = Row(columns[1], columns[3], kind, text)
            found[serial] = None if serial in found else row
    return {serial: row for serial, row in found.items() if row is not None}


def _serial(line: str) -> int:
    """What a line begins with, or 0."""
    word = line[:8]
    good = len(word) == 8 and line[8:9] == " " and _HEXADECIMAL.issuperset(word)
    return int(word, 16) if good else 0
