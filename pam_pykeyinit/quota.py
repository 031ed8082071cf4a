"""How much of their key quota users have used, by /proc/key-users (proc(5))."""

from . import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import User


def parse(table: str, uid: int) -> "tuple[int, int, int, int] | None":
    """Keys used and allowed, bytes used and allowed, of a user in such a table.  Pure."""
    for line in table.splitlines():
        row = line.replace(":", " ").split()
        if row and int(row[0]) == uid:
            (keys, most), (size, largest) = row[3].split("/"), row[4].split("/")
            return int(keys), int(most), int(size), int(largest)
    return None


def read(uid: int) -> "tuple[int, int, int, int] | None":
    """The same as it is now; None for who has no keys, and where /proc does not tell."""
    return parse(procfs.text("/proc/key-users"), uid)


def above(used: "tuple[int, int, int, int]", percent: int) -> bool:
    """Whether that is more than so many percent of the keys, or of the bytes.  Pure."""
    keys, most, size, largest = used
    return keys * 100 > most * percent or size * 100 > largest * percent


def warnings(user: "User", percent: int) -> "list[str]":
    """A line if the user has more than so many percent of the keys, or of the bytes."""
    used = read(user.uid)
    if used is None or not above(used, percent):
        return []
    keys, most, size, largest = used
    return [
        f"{user.name} has {keys} of {most} keys, {size} of {largest} bytes: more than {percent}%"
        " of the quota (see /proc/key-users, kernel.keys.maxkeys, kernel.keys.maxbytes)"
    ]
