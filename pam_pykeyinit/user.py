"""The user of a session."""

from . import codes
from .kernel import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pam import Pamh


class User:
    """The user of a session: the name for the log, the ids for the kernel."""

    __slots__ = ("gid", "name", "uid")

    def __init__(self, name: str, uid: int, gid: int) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid


def find(pamh: "Pamh") -> User:
    """Return the user of a PAM handle.  If PAM has to prompt, the prompt is pam_keyinit's.

    A name that pam_python cannot decode cannot be looked up: it is an unknown user.
    """
    name = ""
    try:
        name = pamh.get_user("key user") or ""
        ids = libc.getpwnam(name.encode("utf-8", "surrogateescape"))
    except Exception as error:
        raise _no_user(error, name, pamh) from error
    if ids is None:
        raise _no_user(None, name, pamh)
    return User(name, *ids)


def _no_user(error: "Exception | None", name: str, pamh: "Pamh") -> BaseException:
    """The exception to raise if there is no user; the original one if that is unrelated."""
    from .failure import NotLookedUp, NoUser

    if error is None:
        return NoUser(codes.PAM_USER_UNKNOWN, f'unknown user "{name}"')
    if isinstance(error, pamh.exception):
        return NoUser(error.pam_result, f"cannot get the user name: {error}")
    if isinstance(error, ValueError):
        return NoUser(codes.PAM_USER_UNKNOWN, f"unknown user: {error}")
    if isinstance(error, OSError):
        return NotLookedUp(f'cannot look up user "{name}": {error.strerror}')
    return error
