"""Failures: the exceptions, and the log lines that tell an administrator what to do.  Pure.

Most logins have no failure, so they import neither this module nor the names of errnos.
"""

from errno import errorcode

from . import codes, log
from .kernel.errors import NotRestored
from .kernel.syscalls import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Verdict = tuple[int, int, str]

_HINTS = {
    "ENOSYS": "this kernel has no keyrings, or a seccomp filter hides them",
    "EPERM": "a seccomp filter, a security module or a missing capability forbids it",
    "EACCES": "the keyring's permissions or a security module forbid it",
    "EDQUOT": "the owner's key quota is used up: see /proc/key-users, kernel.keys.maxkeys",
    "ENOMEM": "the kernel has no memory for it",
    "EKEYREVOKED": "the keyring has been revoked",
    "EKEYEXPIRED": "the keyring has expired",
}


class Failed(Exception):
    """A call was refused.  str() is the line for the log."""


class PamError(Exception):
    """A call of libpam failed: `pam_result` is its code, str() its text."""

    def __init__(self, pam_result: int, words: str) -> None:
        super().__init__(words)
        self.pam_result = pam_result


class NoUser(Exception):
    """The session has no user: PAM's code, and the line for the log."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class NotLookedUp(Exception):
    """The user database cannot be read.  str() is the line for the log."""


def verdict(error: BaseException, code: int) -> "Verdict":
    """The return code for an exception, the priority of its log line, and the line.

    `code` is the return code for exceptions that have none of their own.
    """
    if isinstance(error, NoUser):
        return error.code, log.NOTICE, str(error)
    if isinstance(error, NotLookedUp):
        return codes.PAM_USER_UNKNOWN, log.ERR, str(error)
    if isinstance(error, Failed):
        return code, log.ERR, str(error)
    if isinstance(error, NotRestored):
        return code, log.ALERT, str(error)
    return code, log.ERR, f"internal error: {type(error).__name__}: {error}"


def failed(error: KernelError, consequence: str) -> Failed:
    """Describe a refused call: its name, the errno, and the consequence for the user."""
    name = name_of(error)
    hint = _HINTS.get(name, error.strerror)
    return Failed(f"{error.call}: {name}: {consequence} ({hint})")


def name_of(error: OSError) -> str:
    """The name of the errno, or its number if it has none."""
    return errorcode.get(error.errno, str(error.errno))
