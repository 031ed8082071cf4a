"""Keep the right to revoke a session keyring that this thread loses, or that another
thread is to revoke.

Revoking needs possession, and a thread possesses what it can reach from its keyrings.
Once it has joined a second user's session keyring it no longer reaches the first one; a
thread that did not join it never reached it.  The kernel then refuses to revoke it: to
root as well, for the owner has no such right in the permissions that a session keyring is
born with.

So the keyring is linked into a keyring of the PAM host's own:

    @t -> pin (not searchable) -> grip -> session keyring

No search passes the pin, so no request_key(2) of this thread ever finds the user's keys
there.  To revoke, the grip, which its owner may link, is put straight into the @t of the
thread that revokes.

This is done before a keyring is displaced, and for each in a process with threads.  Not
otherwise: a thread that has a thread keyring gets the keys that request_key(2) constructs
into it, and no ordinary login should notice us so.
"""

from .kernel import syscalls
from .kernel.libc import getpid
from .kernel.syscalls import (
    OWNER_LINK,
    OWNER_SEARCH,
    OWNER_SETATTR,
    POSSESSOR_SEARCH,
    POSSESSOR_SETATTR,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Hold:
    """A hold on one keyring.  Raises KernelError where a step is refused."""

    __slots__ = ("_grip", "_kept", "_pid", "_pin")

    def __init__(self, keyring: int) -> None:
        self._pid = getpid()
        self._kept = 0
        self._pin = syscalls.add_keyring(f"pam_pykeyinit:{keyring}", syscalls.THREAD_KEYRING)
        try:
            self._grip = syscalls.add_keyring("pam_pykeyinit", self._pin)
            syscalls.link(keyring, self._grip)
            syscalls.set_permissions(self._grip, POSSESSOR_SEARCH | OWNER_LINK)
            syscalls.set_permissions(self._pin, POSSESSOR_SETATTR | OWNER_SETATTR)
            self._kept = syscalls.keep_credentials()  # @t, in case this thread ends first
        except syscalls.KernelError:
            self.drop()
            raise

    def possessing(self, work: "Callable[[], None]") -> None:
        """Call work() while this thread possesses the keyring."""
        syscalls.link(self._grip, syscalls.THREAD_KEYRING)
        try:
            work()
        finally:
            _let_go(self._grip)

    def drop(self) -> None:
        """Let go, from any thread; in a forked child, which has no share in it, do nothing."""
        if self._pid == getpid():
            if self._kept:
                _quietly(syscalls.release_credentials, self._kept)
            if not _let_go(self._pin):
                # In another thread's @t, so the pin itself is undone.  Only what can be
                # searched can be invalidated.
                _quietly(syscalls.set_permissions, self._pin, OWNER_SEARCH | OWNER_SETATTR)
                _quietly(syscalls.invalidate, self._pin)


def _let_go(keyring: int) -> bool:
    return _quietly(syscalls.unlink, keyring, syscalls.THREAD_KEYRING)


def _quietly(call: "Callable[..., None]", *arguments: int) -> bool:
    """Whether a step of tidying up was done; that it was not is nobody's concern."""
    try:
        call(*arguments)
    except syscalls.KernelError:
        return False
    return True
