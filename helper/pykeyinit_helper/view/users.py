"""The users who have keys, from /proc/key-users (proc(5))."""

from pam_pykeyinit.kernel import procfs
from pam_pykeyinit.policies import quota
from pykeyinit_helper.become import Refused

TABLE = "/proc/key-users"


def quotas() -> dict[int, tuple[int, int, int, int]]:
    """The used and the allowed quota of each user that is mapped in this user namespace."""
    text = procfs.text(TABLE)
    if not text:
        raise Refused(f"cannot read {TABLE}: no keyrings in this kernel, or no /proc here")
    return dict(quota.parse(text))


def counts() -> dict[int, int]:
    """The number of keys of each user, including unquoted and invisible ones."""
    found = {}
    for line in procfs.text(TABLE).splitlines():
        row = line.replace(":", " ").split()
        found[int(row[0])] = int(row[2].partition("/")[0])
    return found


def keys_of(uid: int) -> int:
    """The same for one user."""
    return counts().get(uid, 0)
