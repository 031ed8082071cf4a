"""Keep the right to revoke a session keyring that this thread loses, or that another
thread will revoke.

Revoking needs possession, and a thread possesses the keys that it reaches from its keyrings
(lookup_user_key in the kernel).  After it has joined a second user's session keyring, it no
longer reaches the first one; a thread that did not join it never reached it.  The kernel then
refuses to revoke it, even for root, because the default permissions of a session keyring do
not give its owner that right.

Therefore the keyring is linked into a keyring of the PAM host:

    @t -> pin (not searchable) -> grip -> session keyring

No search passes the pin, so request_key(2) of this thread never finds the user's keys there.
To revoke the keyring, the grip, which its owner may link, is linked directly into the @t of
the thread that revokes.

This is done before a keyring is displaced, and for every keyring in a process with threads.
It is not done otherwise: if a thread has a thread keyring, request_key(2) puts the keys that
it constructs there (construct_get_dest_keyring in the kernel), and an ordinary login must not
change that.
"""

from .kernel import keyctl, syscalls
from .kernel.keyctl import (
    OWNER_LINK,
    OWNER_SEARCH,
    OWNER_SETATTR,
    POSSESSOR_SEARCH,
    POSSESSOR_SETATTR,
)
from .kernel.libc import getpid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Hold:
    """A hold on one keyring.  Raises KernelError if a step is refused."""

    __slots__ = ("_grip", "_kept", "_pid", "_pin")

    def __init__(self, keyring: int) -> None:
        self._pid = getpid()
        self._kept = 0
        self._pin = keyctl.add_keyring(f"pam_pykeyinit:{keyring}", syscalls.THREAD_KEYRING)
        try:
            self._grip = keyctl.add_keyring("pam_pykeyinit", self._pin)
            keyctl.link(keyring, self._grip)
            keyctl.set_permissions(self._grip, POSSESSOR_SEARCH | OWNER_LINK)
            keyctl.set_permissions(self._pin, POSSESSOR_SETATTR | OWNER_SETATTR)
            self._kept = keyctl.keep_credentials()  # @t, in case this thread ends first
        except syscalls.KernelError:
            self.drop()
            raise

    def possessing(self, work: "Callable[[], None]") -> None:
        """Call work() while this thread possesses the keyring."""
        keyctl.link(self._grip, syscalls.THREAD_KEYRING)
        try:
            work()
        finally:
            _let_go(self._grip)

    def drop(self) -> None:
        """Remove the hold, from any thread.  A forked child does not own it: do nothing there."""
        if self._pid == getpid():
            if self._kept:
                _quietly(keyctl.release_credentials, self._kept)
            if not _let_go(self._pin):
                # The pin is in another thread's @t: invalidate it, which needs search permission
                # (keyctl_invalidate_key in the kernel).
                _quietly(keyctl.set_permissions, self._pin, OWNER_SEARCH | OWNER_SETATTR)
                _quietly(keyctl.invalidate, self._pin)


def _let_go(keyring: int) -> bool:
    return _quietly(keyctl.unlink, keyring, syscalls.THREAD_KEYRING)


def _quietly(call: "Callable[..., None]", *arguments: int) -> bool:
    """Whether a step of the cleanup succeeded.  A failure is ignored."""
    try:
        call(*arguments)
    except syscalls.KernelError:
        return False
    return True
