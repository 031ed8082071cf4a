"""Add links and a tag to the session keyring of a program.

They are added by its serial number.  If @s is the user-session keyring, the kernel would join a
new, empty keyring for a write to @s: see decide.py.
"""

from errno import ENOKEY

from pam_pykeyinit.failure import Failed, failed
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import decide, keyctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SPECIAL = {decide.USER: syscalls.USER_KEYRING, decide.USER_SESSION: syscalls.USER_SESSION_KEYRING}

# The kernel returns ENOKEY if it could not create one of these, for any reason.
_NOT_MADE = "the key quota may be used up: see /proc/key-users, kernel.keys.maxkeys"


class Links:
    """Adds keys to one keyring, and records the steps and refusals."""

    __slots__ = ("_keyring", "_refusals", "_steps")

    def __init__(self, keyring: int, steps: "list[str]", refusals: "list[Failed]") -> None:
        self._keyring = keyring
        self._steps = steps
        self._refusals = refusals

    def link(self, what: str) -> None:
        """Link one of decide.LINKS."""
        done = f"linked the {what} keyring into it"
        into = f"the session keyring does not lead to the {what} keyring"
        try:
            if what == decide.PERSISTENT:
                keyctl.get_persistent(-1, self._keyring)
            else:
                keyctl.link(_SPECIAL[what], self._keyring)
            self._steps.append(done)
        except syscalls.KernelError as error:
            refusal = failed(error, into)
            if error.errno == ENOKEY and what in _SPECIAL:
                text = f"{error.call}: ENOKEY: {into}, which cannot be made ({_NOT_MADE})"
                refusal = Failed(text)
            self._refusals.append(refusal)

    def link_outer(self, serial: int) -> None:
        """Link the outer keyring, so that its keys are still found."""
        done = f"linked {serial} into it, of the user namespace around this one"
        into = f"the session keyring does not lead to {serial}, which was in its place"
        self._attempt(done, into, lambda: keyctl.link(serial, self._keyring))

    def leave_tag(self, text: str) -> None:
        """Add a small key with the origin of the keyring."""
        payload = text.encode("utf-8", "surrogateescape")
        name = f"pykeyinit-helper:{text}"
        self._attempt(
            f"added the tag {text[:64]}",
            "no tag is left",
            lambda: keyctl.add_user_key(name, payload, self._keyring),
        )

    def _attempt(self, done: str, consequence: str, call: "Callable[[], object]") -> None:
        try:
            call()
            self._steps.append(done)
        except syscalls.KernelError as error:
            self._refusals.append(failed(error, consequence))
