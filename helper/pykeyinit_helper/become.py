"""Become the user of --user permanently."""

import pwd
from errno import EINVAL
from posix import (
    getgrouplist,
    getgroups,
    getresgid,
    getresuid,
    setgid,
    setgroups,
    setresgid,
    setresuid,
    setuid,
    strerror,
)

from pam_pykeyinit.log import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


_CAP_AMBIENT, _CLEAR_ALL = 47, 4  # prctl(2)


class Refused(Exception):
    """The helper cannot do its task.  str() is the line for the user."""


class Target:
    """The user of the program: uid, gid, and all supplementary groups."""

    __slots__ = ("gid", "groups", "uid")

    def __init__(self, uid: int, gid: int, groups: "list[int]") -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups


def find(text: str) -> Target:
    """The target of USER[:GROUP].  A number is used as it is if no such name exists.

    The groups are those of initgroups(3); GROUP replaces the one in passwd(5), as in
    systemd.exec(5).  Raises Refused.
    """
    user, colon, group = text.partition(":")
    if not user:
        raise Refused(f"unknown user: --user {printable(text[:64])} names none")
    try:
        entry = _entry(user)
    except (KeyError, ValueError, OverflowError):  # NUL, not UTF-8, larger than any uid
        if not (_is_id(user) and group):
            say = f"unknown user: {printable(user[:64])}"
            raise Refused(f"{say} (see getent passwd; for a bare number say UID:GROUP)") from None
        gid = _group(group)
        return Target(int(user), gid, [gid])
    if colon and not group:
        raise Refused(f"no group after the colon in --user {printable(text[:64])}")
    gid = _group(group) if group else entry.pw_gid
    return Target(entry.pw_uid, gid, getgrouplist(entry.pw_name, gid))


def _entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        if not _is_id(user):
            raise
        return pwd.getpwuid(int(user))


def _is_id(text: str) -> bool:
    # set*id(2) take the last number for "unchanged".
    return text.isascii() and text.isdigit() and int(text[:11]) < 2**32 - 1


def _group(text: str) -> int:
    import grp

    try:
        return grp.getgrnam(text).gr_gid
    except (KeyError, ValueError):
        if _is_id(text):
            return int(text)
    raise Refused(f"unknown group: {printable(text[:64])} (see getent group)")


def is_already(target: Target) -> bool:
    """Whether becoming the target needs no privilege."""
    return getresuid() == (target.uid,) * 3 and getresgid() == (target.gid,) * 3


def become(target: Target) -> None:
    """Change groups, gid and uid, and verify that the process cannot change back.

    A process that already is the user also gets the user's groups, and loses ambient
    capabilities.  Raises Refused; the ids may then be half changed, so the caller must end.
    """
    was_already = is_already(target)
    try:
        if not was_already or not _has_groups(target):
            setgroups(target.groups)
        if not was_already:
            setresgid(target.gid, target.gid, target.gid)
            setresuid(target.uid, target.uid, target.uid)
    except OSError as error:
        what = f"uid {target.uid} with its groups" if was_already else f"uid {target.uid}"
        hint = "only root can; as an ordinary user leave --user out"
        if target.uid == 0:
            hint = "in this user namespace setgroups(2) is denied; leave --user out"
        raise Refused(f"cannot become {what}: {error.strerror} ({hint})") from error
    if not is_already(target) or not _has_groups(target):
        raise Refused(f"the kernel did not make this uid {target.uid} with its groups")
    if target.uid == 0:
        return
    if was_already:
        _drop_ambient_capabilities()
    if _can(setuid) or (target.gid != 0 and _can(setgid)):
        raise Refused(f"uid {target.uid} could become root again (securebits, capabilities)")


def _has_groups(target: Target) -> bool:
    return set(getgroups()) - {target.gid} == set(target.groups) - {target.gid}


def _drop_ambient_capabilities() -> None:
    """Drop the capabilities that a change of ids would drop, capabilities(7)."""
    import ctypes  # imported here, because few callers need it

    if ctypes.CDLL(None, use_errno=True).prctl(_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0):
        number = ctypes.get_errno()
        if number != EINVAL:  # the kernel has none: before Linux 4.3
            raise Refused(f"cannot drop ambient capabilities: {strerror(number)}")


def _can(change: "Callable[[int], None]") -> bool:
    try:
        change(0)
    except OSError:
        return False
    return True
