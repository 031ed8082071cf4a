"""The permissions of a key.  Pure: key_task_permission() of the kernel, in Python.

A mask has one byte for each of possessor, user, group and other.  The first of the last three
that matches applies; the permissions of the possessor are added to it.
"""

VIEW, READ, WRITE, SEARCH, LINK, SETATTR = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ALL = 0x3F

_LETTERS = ((SETATTR, "a"), (LINK, "l"), (SEARCH, "s"), (WRITE, "w"), (READ, "r"), (VIEW, "v"))


class Who:
    """The ids that the kernel checks: effective uid, effective gid, and all groups."""

    __slots__ = ("groups", "uid")

    def __init__(self, uid: int, groups: frozenset[int]) -> None:
        self.uid = uid
        self.groups = groups


def letters(bits: int) -> str:
    """Six letters as in keyctl(1): setattr, link, search, write, read, view."""
    return "".join(letter if bits & bit else "-" for bit, letter in _LETTERS)


def possessors(mask: int) -> int:
    """The permissions of a possessor."""
    return mask >> 24 & ALL


def share(mask: int, uid: int, gid: int, who: Who) -> tuple[str, int]:
    """The class of a process for a key, "user", "group" or "other", and its permissions."""
    if uid == who.uid:
        return "user", mask >> 16 & ALL
    if gid in who.groups and mask >> 8 & ALL:
        return "group", mask >> 8 & ALL
    return "other", mask & ALL
