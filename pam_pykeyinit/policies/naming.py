"""A session keyring that several logins share, found by its name.

Any user can create a keyring of any name, and let others search it; joining by name then joins
that keyring (find_keyring_by_name in the kernel).  Therefore a keyring is checked after it was
joined, and left at once if it is not the user's alone.  Its owner cannot change afterwards: only
root may change the owner of a key (keyctl_chown_key in the kernel).  Its owner can change its
permissions, so they are checked again.

The module and pykeyinit-helper both use take(), judge(), leave_for_new() and
join_user_session(); the other functions are for the module.
"""

from .. import log
from ..failure import name_of
from ..kernel import identity, keyctl, syscalls
from ..kernel.keyctl import OWNER_SEARCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..log import Lines
    from ..user import User

_MOST_BYTES = 4095  # KEY_MAX_DESC_SIZE in the kernel, less the zero at the end
_BORN = 0x3F130000  # possessor: all; owner: view, read, link
_NOT_OWNER = 0x0000FFFF  # the rights of the group, and of others


class NotLeft(syscalls.KernelError):
    """The session keyring is not the user's, and cannot be left."""


def expand(template: str, user: "User", service: str) -> str:
    """Replace %u, %U and %s with user, uid and service, and %% with a percent sign."""
    values = {"u": user.name, "U": str(user.uid), "s": service, "%": "%"}
    name, rest = "", template
    while rest:
        before, percent, rest = rest.partition("%")
        name += before
        if percent:
            name += values[rest[0]]
            rest = rest[1:]
    return name


def refusal(name: str) -> str:
    """Why no keyring may have this name, or "".

    Names that begin with "_" are the kernel's: _ses, _uid.UID, _uid_ses.UID.  These could be
    joined.  The kernel itself refuses names that begin with a dot.
    """
    if not name:
        return "the name is empty"
    if name[0] in "._":
        return "a name that begins with a dot or an underscore is the kernel's"
    if len(name.encode("utf-8", "surrogateescape")) > _MOST_BYTES:
        return f"the name has more than {_MOST_BYTES} bytes"
    return ""


def objection(kind: str, owner: int, mask: int, uid: int) -> str:
    """Why a keyring of this type, owner and permissions cannot be the user's, or ""."""
    if owner != uid:
        return f"belongs to uid {owner}"
    if kind != "keyring":
        return f"of uid {owner} is a {kind}"
    if mask & _NOT_OWNER:
        return f"of uid {owner} gives rights to others ({mask:08x})"
    return ""


class NotFound(Exception):
    """There was no keyring of that name.  There is one now that no other login finds."""


def join(name: str, user: "User", lines: "Lines", make: bool) -> "tuple[int, bool]":
    """Join the user's keyring of that name, with the user's real ids.

    If there is none, create it, or, without `make`, raise NotFound: only one login at a time may
    create it (lock.py), and joins again to see whether another login was first.

    Returns the serial number of the session keyring, and whether it is the shared one.  If that
    one is not safe, it is a new keyring without a name.
    Raises KernelError if there is neither, and NotRestored.
    """
    wrong = refusal(name)
    if wrong:
        lines.append((log.ERR, f"name={name[:64]}: {wrong}; the keyring is one without a name"))
        return syscalls.join_anonymous_session(), False
    serial, wrong, _ = take(name, user.uid, make=make)
    if wrong:
        return leave(serial, wrong, user, lines), False
    return serial, True


def take(name: str, uid: int, make: bool) -> "tuple[int, str, bool]":
    """Join the keyring of that name, with the user's real ids; if there is none, see join().

    Returns the serial number, an objection to it or "", and whether this call created it.
    A keyring with an objection is still the session keyring: leave_for_new() leaves it.
    Raises KernelError, NotFound, and NotRestored.
    """
    serial, wrong, found = _enter(name, uid)
    if wrong or found:
        return serial, wrong, not found
    if not make:
        raise NotFound
    return serial, _open_to_owner(serial, uid), True


def _enter(name: str, uid: int) -> "tuple[int, str, bool]":
    """Join it.  Returns the serial number, an objection, and whether its owner can search it."""

    def enter() -> "tuple[int, str, bool]":
        serial = keyctl.join_named_session(name)
        try:
            serial = serial or syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
            kind, owner, _, mask, _ = keyctl.describe(serial)
        except syscalls.KernelError as error:
            return serial, _hidden(error), False
        return serial, objection(kind, owner, mask, uid), bool(mask & OWNER_SEARCH)

    return identity.with_filesystem_uid(uid, enter)


def _open_to_owner(serial: int, uid: int) -> str:
    """Let the owner's later logins find a new keyring.  Returns an objection, or ""."""
    try:
        identity.with_filesystem_uid(
            uid, lambda: keyctl.set_permissions(serial, _BORN | OWNER_SEARCH)
        )
    except syscalls.KernelError as error:
        return f"of uid {uid} cannot be shared ({error.call}: {error.strerror})"
    return ""


def look_again(serial: int, user: "User") -> str:
    """Check a joined keyring again, with the user's real ids.  Returns an objection, or ""."""
    return judge(serial, user.uid)


def judge(serial: int, uid: int) -> str:
    """Why a keyring is not the user's own, or "".  Raises NotRestored."""
    try:
        found = identity.with_filesystem_uid(uid, lambda: keyctl.describe(serial))
    except syscalls.KernelError as error:
        return _hidden(error)
    kind, owner, _, mask, _ = found
    return objection(kind, owner, mask, uid)


def _hidden(error: syscalls.KernelError) -> str:
    return f"of an owner who cannot be seen ({error.call}: {name_of(error)})"


def leave(serial: int, wrong: str, user: "User", lines: "Lines") -> int:
    """Leave a keyring that is not the user's alone, for a new one without a name.

    Raises KernelError if the kernel refuses a new one; then the user-session keyring has replaced
    it, which needs no memory and no quota.
    """
    text = f"session keyring {serial} {wrong}: left at once"
    try:
        new = leave_for_new(user.uid)
    except NotLeft:
        text = f"session keyring {serial} {wrong}, and cannot be left: end this session"
        lines.append((log.ALERT, text))
        raise
    except syscalls.KernelError:
        lines.append((log.ALERT, text))
        raise
    lines.append((log.ALERT, f"{text}, {user.name} gets {new} without a name"))
    return new


def leave_for_new(uid: int) -> int:
    """Leave the session keyring for a new one without a name.  Returns its serial number.

    Raises KernelError if the kernel refuses a new one and the user-session keyring has replaced
    it, which needs no memory and no quota; NotLeft if that failed too; NotRestored.
    """
    try:
        return syscalls.join_anonymous_session()
    except syscalls.KernelError as error:
        if join_user_session(uid):
            raise
        raise NotLeft(error.errno, error.call) from error


def join_user_session(uid: int) -> bool:
    """Make the user-session keyring the session keyring.  Returns whether it is one.

    It is joined by its name, because there is no other call.  Another keyring can have the same
    name, so the result is checked.  Raises NotRestored.
    """
    try:
        identity.with_filesystem_uid(uid, lambda: keyctl.join_named_session(f"_uid_ses.{uid}"))
        joined = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
        return joined == syscalls.get_keyring_id(syscalls.USER_SESSION_KEYRING)
    except syscalls.KernelError:
        return False
