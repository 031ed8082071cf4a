"""Keep the right to revoke a session keyring that a later login in this thread displaces.

Revoking needs possession, and a thread possesses what it can reach from its keyrings.
Once it has joined a second user's session keyring it no longer reaches the first one, and
the kernel then refuses to revoke that one: to root as well, for the owner has no such
right in the permissions that a session keyring is born with.

So before it is displaced, the keyring is linked into a keyring of the PAM host's own:

    @t -> pin (not searchable) -> grip -> session keyring

No search passes the pin, so no request_key(2) of this thread ever finds the user's keys
there.  To revoke, the grip, which its owner may link, is put straight into @t.

This is done for a displaced keyring only: a thread that has a thread keyring gets the
keys that request_key(2) constructs into it, and no ordinary login should notice us so.
"""

from . import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_POSSESSOR_SEARCH = 0x08000000
_POSSESSOR_SETATTR = 0x20000000
_OWNER_LINK = 0x00100000
_OWNER_SETATTR = 0x00200000


class Hold:
    """A hold on one keyring.  Raises KernelError where a step is refused."""

    __slots__ = ("_grip", "_pin")

    def __init__(self, keyring: int) -> None:
        self._pin = kernel.add_keyring(f"pam_pykeyinit:{keyring}", kernel.THREAD_KEYRING)
        try:
            self._grip = kernel.add_keyring("pam_pykeyinit", self._pin)
            kernel.link(keyring, self._grip)
            kernel.set_permissions(self._grip, _POSSESSOR_SEARCH | _OWNER_LINK)
            kernel.set_permissions(self._pin, _POSSESSOR_SETATTR | _OWNER_SETATTR)
        except kernel.KernelError:
            self.drop()
            raise

    def possessing(self, work: "Callable[[], None]") -> None:
        """Call work() while this thread possesses the keyring."""
        kernel.link(self._grip, kernel.THREAD_KEYRING)
        try:
            work()
        finally:
            _let_go(self._grip)

    def drop(self) -> None:
        """Let go.  In a forked child, which has no share in @t, nothing happens."""
        _let_go(self._pin)


def _let_go(keyring: int) -> None:
    try:
        kernel.unlink(keyring, kernel.THREAD_KEYRING)
    except kernel.KernelError:
        pass  # not linked here: by another thread, or in another process
