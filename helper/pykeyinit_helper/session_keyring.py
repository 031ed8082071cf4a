"""Find which session keyring is in place, as the user of the program."""

from errno import EKEYEXPIRED, EKEYREVOKED, ENOKEY

from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import decide, keyctl

_DEAD = (EKEYREVOKED, EKEYEXPIRED, ENOKEY)

_USER_SESSION = "_uid_ses."
_OVERFLOW_UID = 65534  # also the id of the user nobody
_ALL_OF_THEM = ["0", "0", "4294967295"]  # the first user namespace


class SessionKeyring:
    """A session keyring: its state, serial number and owner."""

    __slots__ = ("serial", "state", "uid")

    def __init__(self, state: str, serial: int = 0, uid: int = -1) -> None:
        self.state = state
        self.serial = serial
        self.uid = uid

    def __str__(self) -> str:
        if self.state == decide.NONE:
            return "no session keyring"
        if self.state == decide.DEAD:
            return "a revoked or expired session keyring"
        if self.state == decide.UNKNOWN:
            return "a session keyring that cannot be seen"
        owner = f"uid {self.uid}" if self.uid >= 0 else "somebody unknown"
        return f"session keyring {self.serial} of {owner}"


def look(target: int) -> SessionKeyring:
    """The state of the session keyring for the target user, whose real uid this thread has.

    If there is none, the kernel installs the user-session keyring.  Raises KernelError.
    """
    try:
        serial = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
    except syscalls.KernelError as error:
        if error.errno == ENOKEY and not _has_user_session():
            return SessionKeyring(decide.NONE)
        if error.errno in _DEAD:
            return SessionKeyring(decide.DEAD)
        raise
    try:
        kind, uid, _, _, description = keyctl.describe(serial)
    except syscalls.KernelError:  # its owner has hidden it: do not trust it
        return SessionKeyring(decide.FOREIGN, serial)
    if _stands_for_many(uid):
        return SessionKeyring(decide.FOREIGN, serial)
    state = decide.state(kind, uid, description, target)
    named_so = description.startswith(_USER_SESSION) and state != decide.FOREIGN
    if named_so and not is_user_session(serial):
        state = decide.OUTER if is_outer(description) else decide.OWN
    return SessionKeyring(state, serial, uid)


def is_user_session(serial: int) -> bool:
    """Whether this is the user-session keyring of the real user."""
    try:
        return serial == syscalls.get_keyring_id(syscalls.USER_SESSION_KEYRING)
    except syscalls.KernelError:
        return False


def is_outer(description: str) -> bool:
    """Whether a keyring that is not this user namespace's @us is that of an outer one."""
    return description.startswith(_USER_SESSION) and _in_user_namespace()


def _has_user_session() -> bool:
    try:
        return syscalls.get_keyring_id(syscalls.USER_SESSION_KEYRING) > 0
    except syscalls.KernelError:
        return False


def _stands_for_many(uid: int) -> bool:
    """Whether it is the uid of all users that are not mapped into this user namespace.

    user_namespaces(7), "Unmapped user and group IDs".
    """
    return uid == _OVERFLOW_UID and _in_user_namespace()


def _in_user_namespace() -> bool:
    """Whether this is not the first user namespace; without /proc the answer is yes."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return file.read().split() != _ALL_OF_THEM
    except OSError:
        return True
