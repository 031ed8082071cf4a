"""How much of their key quota users have used, by /proc/key-users (proc(5))."""

from ..kernel import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..user import User

    Used = tuple[int, int, int, int]  # keys used and allowed, bytes used and allowed


def parse(table: str) -> "Iterator[tuple[int, Used]]":
    """The id and the quota of each user in the table.  Pure."""
    for line in table.splitlines():
        row = line.replace(":", " ").split()
        if row:
            (keys, most), (size, largest) = row[3].split("/"), row[4].split("/")
            yield int(row[0]), (int(keys), int(most), int(size), int(largest))


def read(uid: int) -> "Used | None":
    """The current quota of a user; None if the user has no keys, or /proc is not readable."""
    table = procfs.text("/proc/key-users")
    return next((used for owner, used in parse(table) if owner == uid), None)


def above(used: "Used", percent: int) -> bool:
    """Whether more than this percentage of the keys or the bytes is used.  Pure."""
    keys, most, size, largest = used
    return keys * 100 > most * percent or size * 100 > largest * percent


def warnings(user: "User", percent: int) -> "list[str]":
    """A line if the user has more than this percentage of the keys or the bytes."""
    used = read(user.uid)
    if used is None or not above(used, percent):
        return []
    keys, most, size, largest = used
    return [
        f"{user.name} has {keys} of {most} keys, {size} of {largest} bytes: more than {percent}%"
        " of the quota (see /proc/key-users, kernel.keys.maxkeys, kernel.keys.maxbytes)"
    ]
