"""Who may do what with a key.  Pure: key_task_permission() of the kernel, in Python.

A mask has a byte each for possessor, user, group and other.  Of the last three one
applies: the first that fits.  What the possessor may is added to it.
"""

VIEW, READ, WRITE, SEARCH, LINK, SETATTR = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ALL = 0x3F

_LETTERS = ((SETATTR, "a"), (LINK, "l"), (SEARCH, "s"), (WRITE, "w"), (READ, "r"), (VIEW, "v"))


class Who:
    """The ids by which the kernel checks: effective uid, effective gid, and all groups."""

    __slots__ = ("groups", "uid")

    def __init__(self, uid: int, groups: frozenset[int]) -> None:
        self.uid = uid
        self.groups = groups


def letters(bits: int) -> str:
    """Six places as keyctl(1) has them: setattr, link, search, write, read, view."""
    return "".join(letter if bits & bit else "-" for bit, letter in _LETTERS)


def possessors(mask: int) -> int:
    """What a mask gives to those who possess the key."""
    return mask >> 24 & ALL


def share(mask: int, uid: int, gid: int, who: Who) -> tuple[str, int]:
    """Which of "user", "group" and "other" somebody is to a key, and what that gives."""
    if uid == who.uid:
        return "user", mask >> 16 & ALL
    if gid in who.groups and mask >> 8 & ALL:
        return "group", mask >> 8 & ALL
    return "other", mask & ALL
