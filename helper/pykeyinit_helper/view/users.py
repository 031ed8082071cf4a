"""Who has keys, by /proc/key-users (proc(5))."""

import functools
import pwd

from pam_pykeyinit.kernel import procfs
from pam_pykeyinit.policies import quota
from pykeyinit_helper.become import Refused

TABLE = "/proc/key-users"


def quotas() -> dict[int, tuple[int, int, int, int]]:
    """What each user has used of the quota, and may; those that this user namespace knows."""
    text = procfs.text(TABLE)
    if not text:
        raise Refused(f"cannot read {TABLE}: no keyrings in this kernel, or no /proc here")
    return dict(quota.parse(text))


def counts() -> dict[int, int]:
    """How many keys each has, also those that no quota counts and that nobody may view."""
    found = {}
    for line in procfs.text(TABLE).splitlines():
        row = line.replace(":", " ").split()
        found[int(row[0])] = int(row[2].partition("/")[0])
    return found


def keys_of(uid: int) -> int:
    """The same of one user."""
    return counts().get(uid, 0)


@functools.cache
def name_of(uid: int) -> str:
    """The name of a uid, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)
