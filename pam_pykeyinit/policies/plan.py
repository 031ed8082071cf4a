"""Apply the options that pam_keyinit(8) does not have to one keyring.

Imported only for a line with such an option.  Modules for single options are imported only with
that option.
"""

from errno import EACCES, EDEADLK, EDQUOT, ENOSYS, EOPNOTSUPP, EPERM

from .. import log
from ..failure import Failed, failed
from ..kernel import keyctl, syscalls
from . import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..log import Lines
    from ..pam import Pamh
    from ..user import User
    from .words import Policy

    class Session(Protocol):
        """The parts of a session that are used."""

        keyring: int

        def made(self, keyring: int, lines: "Lines", kind: str = "new") -> None:
            """Remember a keyring that was joined."""

    class Make(Protocol):
        """Creates the keyring, with the user's real ids."""

        def __call__(self, lines: "Lines", *, force: bool) -> None:
            """With `force`, replace any keyring in place."""


# These mean that keyrings are denied here; other errors are failures.
_DENIED = (EACCES, EDQUOT, ENOSYS, EPERM)
_ABSENT = (ENOSYS, EOPNOTSUPP)

ANONYMOUS = "_ses"  # the kernel's name of a session keyring that was joined without one


class Plan:
    """The policy of a PAM line, applied to one session."""

    __slots__ = ("_has_lock", "_origin", "_policy", "_service", "_shared", "_user")

    def __init__(self, policy: "Policy", user: "User", pamh: "Pamh") -> None:
        self._policy = policy
        self._user = user
        self._service = pamh.service or ""
        self._shared = False
        self._has_lock = False
        self._origin: str  # where there is a tag
        if policy.tag:
            from . import tag

            self._origin = tag.origin(pamh)

    def tolerates(self, failure: Exception) -> bool:
        """Whether the session continues although keyrings are denied."""
        error = failure.__cause__
        return (
            self._policy.degrade
            and isinstance(failure, Failed)
            and isinstance(error, syscalls.KernelError)
            and error.errno in _DENIED
            and error.call.startswith("keyctl(")
        )

    def replaces(self, session: int) -> bool:
        """Whether to replace the session keyring in place, because it is another user's.

        A keyring whose owner is not visible counts as another user's.
        """
        if not self._policy.replace:
            return False
        try:
            return keyctl.describe(session)[1] != self._user.uid
        except syscalls.KernelError:
            return True

    def with_lock(self, make: "Make", force: bool, lines: "Lines") -> None:
        """Call make(), and if no keyring was found, call it again under the lock (lock.py).

        This waits with the host's ids, because a user can stop and signal a process whose real
        user id is theirs.
        """
        if not self._policy.name:
            make(lines, force=force)
            return
        from . import lock, naming

        try:
            make(lines, force=force)
        except naming.NotFound:
            lines.clear()
            user = self._user
            with lock.Lock(user.uid, user.name, self.keyring_name(), lines):
                self._has_lock = True
                make(lines, force=True)

    def make(self, session: "Session", lines: "Lines") -> None:
        """Create or join the keyring, and add links and tag, with the user's real ids.

        Raises KernelError, Failed, NotRestored.
        """
        if not self._policy.name:
            session.made(syscalls.join_anonymous_session(), lines)
            self._complete(session.keyring, lines)
            return
        from . import naming

        serial, self._shared = naming.join(
            self.keyring_name(), self._user, lines, make=self._has_lock
        )
        session.made(serial, lines, "shared" if self._shared else "new")
        self._complete(serial, lines)
        wrong = naming.look_again(serial, self._user) if self._shared else ""
        if wrong:
            self._shared = False
            session.made(naming.leave(serial, wrong, self._user, lines), lines)
            self._complete(session.keyring, lines)

    def keyring_name(self) -> str:
        """The kernel's name of the session keyrings that this policy creates."""
        if not self._policy.name:
            return ANONYMOUS
        from . import naming

        return naming.expand(self._policy.name, self._user, self._service)

    @property
    def grace(self) -> int:
        """The grace period in seconds."""
        return self._policy.grace

    def link_all(self, keyring: int, lines: "Lines") -> None:
        """Link the keyrings of the policy into the session keyring.  Raises Failed."""
        for kind in self._policy.link:
            self._link(kind, keyring, lines)

    def _complete(self, keyring: int, lines: "Lines") -> None:
        self.link_all(keyring, lines)
        if self._policy.tag:
            from . import tag

            tag.leave(self._origin, self._user.uid, lines)

    def _link(self, kind: str, keyring: int, lines: "Lines") -> None:
        """Link a keyring of the user into the session keyring.  Raises Failed if it is refused.

        If the session keyring is already linked into the user-session keyring, there is no link:
        the kernel refuses circles (keyring_detect_cycle).
        """
        try:
            if kind == "persistent":
                keyctl.get_persistent(self._user.uid, syscalls.SESSION_KEYRING)
            else:
                user_session = kind == "user-session"
                keyctl.link(
                    syscalls.USER_SESSION_KEYRING if user_session else syscalls.USER_KEYRING,
                    syscalls.SESSION_KEYRING,
                )
        except syscalls.KernelError as error:
            if kind == "persistent" and error.errno in _ABSENT:
                lines.append((log.NOTICE, f"link={kind}: this kernel has no persistent keyrings"))
            elif error.errno == EDEADLK:
                lines.append((log.DEBUG, f"the {kind} keyring leads to session keyring {keyring}"))
            else:
                lost = f"does not lead to the {kind} keyring of {self._user.name}"
                raise failed(error, f"session keyring {keyring} {lost}") from error
        else:
            lines.append((log.DEBUG, f"linked {kind} keyring into %d", keyring))

    def ends_with(self, call: str) -> bool:
        """Whether this call ends the keyring: "close", or "cred" for DELETE_CRED.

        A shared keyring ends with the last process that has it, session-keyring(7).
        """
        return not self._shared and not (
            call == words.AT_CLOSE and self._policy.revoke == words.AT_DELETE
        )

    def end(self, keyring: int) -> None:
        """Revoke a keyring, or let it expire, if it is still the same keyring.

        Only its serial number is known, and the kernel reuses serial numbers.
        Raises KernelError, and Failed if it is another keyring.
        """
        kind, owner, _, _, name = keyctl.describe(keyring)
        if (kind, owner, name) != ("keyring", self._user.uid, ANONYMOUS):
            raise Failed(
                f"{kind} {keyring} of uid {owner} is not the session keyring of"
                f" {self._user.name}: not revoked"
            )
        if self._policy.grace:
            keyctl.set_timeout(keyring, self._policy.grace)
        else:
            syscalls.revoke(keyring)

    def end_line(self) -> str:
        """The log line for a keyring that was ended, with %d for its serial number."""
        grace = self._policy.grace
        return (
            f"session keyring %d expires in {grace} s" if grace else "revoked session keyring %d"
        )

    def look_at_quota(self, say: "log.Say") -> None:
        """Log a line if the user has more keys or bytes than quota_warn."""
        if self._policy.quota_warn:
            from . import quota

            for line in quota.warnings(self._user, self._policy.quota_warn):
                say(log.WARNING, line)
