"""Sessions that their handle has left open, for a later handle to close.

Some programs open a session with one PAM handle and close it with another.  The kernel decides
what the later handle may end: only the session keyring of the calling thread.

Imported only where a handle has ended without a close.
"""

from . import session
from .kernel import keyctl, syscalls
from .kernel.libc import getpid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .user import User

MOST = 256  # a daemon that never closes its sessions must not grow


def remember(left: "session.Session") -> None:
    """Keep a session whose handle ends.  If there are too many, forget the oldest one."""
    kept = session.abandoned
    while len(kept) >= MOST:
        kept.pop(next(iter(kept)), None)
    kept[left.keyring] = left


def close(user: "User") -> "session.Session | None":
    """Count a close of the session that this thread is in.  Return it if an ended handle of the
    user left it open.

    A thread inherits its session keyring from the thread or process that created it.  A forked
    child inherits the memory too, but the session is its parent's.
    Raises KernelError, for example if the session keyring is already revoked.
    """
    serial = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
    left = session.abandoned.get(serial)
    if left is None or not left.is_of(user, getpid()):
        return None
    kind, owner, *_ = keyctl.describe(serial)  # the kernel reuses serial numbers
    if (kind, owner) != ("keyring", user.uid):
        return None
    left.opens -= 1
    return left
