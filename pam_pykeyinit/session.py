"""The session keyring of one PAM handle: decide what to do, and do it.

The rules are pam_keyinit's; DIFFERENCES in pam_pykeyinit(8) names the exceptions.
"""

from . import log
from .kernel import identity, libc, syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from .failure import Failed
    from .hold import Hold
    from .log import Lines
    from .policies.plan import Plan
    from .user import User

    Result = TypeVar("Result")

# Sessions that will revoke a keyring, by its serial number.  It answers one question: is the
# keyring that a login displaces one of these?
_unfinished: "dict[int, Session]" = {}

# Sessions that an ended handle has left open, by the serial number of their keyring.
abandoned: "dict[int, Session]" = {}


def must_create(session: int, user_session: int) -> bool:
    """Whether a session keyring must be created without `force`.

    For a thread without one the kernel returns its user-session keyring (see get_keyring_id()),
    so the two cases look the same, and are treated the same.
    """
    return session == user_session


def must_revoke(opens: int, keyring: int, revoke: bool) -> bool:
    """Whether this close_session ends the keyring.

    `opens` is the number of opens that remain, below zero after a close without an open.
    """
    return revoke and keyring != 0 and opens <= 0


class Session:
    """The keyring that one handle has created and has to end.  `keyring` is 0 without one.

    `_plan` has the options that pam_keyinit does not have, if there are any.
    """

    __slots__ = ("_hold", "_pid", "_plan", "_user", "keyring", "opens", "revoke")

    def __init__(self) -> None:
        self.keyring = 0
        self.opens = 0
        self.revoke = False
        self._user: "User"  # from create() on
        self._pid: int  # from made() on
        self._hold: "Hold | None" = None
        self._plan: "Plan | None" = None

    def create(
        self, user: "User", force: bool, say: "log.Say", plan: "Plan | None" = None
    ) -> None:
        """Give the thread a session keyring of `user`, with the user keyring linked into it.

        Without `force`, a session keyring in place is kept.  If a keyring was created and the
        link failed, the keyring is remembered, and revoked later.
        Raises Failed, and NotRestored from identity.
        """
        self._user = user
        self._plan = plan
        lines: "Lines" = []
        linked = False
        try:
            if plan is not None:
                plan.with_lock(self._make_as_user, force, lines)
            elif force and not _unfinished:
                self._join(user)
            else:
                self._make_as_user(lines, force=force)
            linked = bool(self.keyring)
        except syscalls.KernelError as error:
            raise _failed(error, self._lacks()) from error
        finally:
            if plan is None and self.keyring:
                self.made(self.keyring, lines)
                if linked:
                    lines.append((log.DEBUG, "linked user keyring into %d", self.keyring))
            for line in lines:  # now that the ids are restored: a line carries its sender's ids
                say(*line)

    def displace(self) -> str:
        """Replace the caller's session keyring with an empty one, the user's if possible.

        This is the fallback if the keyring cannot be created.  Returns the result as a text.
        """
        if _unfinished:
            _is_done(lambda: _hold_displaced([]))
        joins: "list[Callable[[], object]]" = [syscalls.join_anonymous_session]
        user: "User | None" = getattr(self, "_user", None)
        if user is not None:
            ids = user.uid, user.gid
            joins.insert(0, lambda: identity.with_real_ids(*ids, syscalls.join_anonymous_session))
        for join in joins:
            if _is_done(join):
                return "an empty session keyring replaces the caller's"
        return "the caller's session keyring stays"

    def _make_as_user(self, lines: "Lines", *, force: bool) -> None:
        user = self._user
        identity.with_real_ids(user.uid, user.gid, lambda: self._make(force, lines))

    def _make(self, force: bool, lines: "Lines") -> None:
        """The part that runs with the user's real ids."""
        if not force:
            try:
                session = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
            except syscalls.KernelError as error:
                from errno import ENOSYS

                consequence = f"{self.without()} without 'force'"
                if error.errno != ENOSYS:
                    raise _failed(error, consequence) from error
                lines.append((log.NOTICE, str(_failed(error, consequence))))
                return
            user_session = _attempt(
                self.without(), syscalls.get_keyring_id, syscalls.USER_SESSION_KEYRING
            )
            found = "session keyring %d, user-session keyring %d"
            lines.append((log.DEBUG, found, session, user_session))
            if not must_create(session, user_session) and not (
                self._plan is not None and self._plan.replaces(session)
            ):
                return
        if _unfinished:
            _hold_displaced(lines)
        if self._plan is not None:
            self._plan.make(self, lines)
            return
        self._join()

    def _join(self, user: "User | None" = None) -> None:
        """Join a new session keyring, as the user if the real ids are not the user's yet."""
        results: "list[int]" = []
        join = syscalls.new_session(results)
        try:
            if user is None:
                join()
            else:
                identity.with_real_ids(user.uid, user.gid, join)
        finally:
            if results:
                self.keyring = max(results[0], 0)
        syscalls.check_new_session(results)

    def made(self, keyring: int, lines: "Lines", kind: str = "new") -> None:
        """Remember a keyring that was joined, and keep the right to end it."""
        self.keyring = keyring
        self._pid = libc.getpid()
        _unfinished[keyring] = self
        lines.append((log.DEBUG, "joined %s session keyring %d", kind, keyring))
        if self.ends_with("cred") and syscalls.has_threads():
            _hold(self, lines)

    def ends_with(self, call: str) -> bool:
        """Whether this call ends the keyring: "close", or "cred" for DELETE_CRED."""
        return self.revoke and (self._plan is None or self._plan.ends_with(call))

    def without(self) -> str:
        """The consequence for the user if no keyring can be created."""
        return f"{self._user.name} gets no new session keyring"

    def _lacks(self) -> str:
        """The same, or what the created keyring lacks."""
        if not self.keyring:
            return self.without()
        return f"session keyring {self.keyring} does not lead to the keys of {self._user.name}"

    def end(self, say: "log.Say") -> None:
        """Revoke the keyring, and forget it whether that succeeds or not.

        Raises Failed, and NotRestored from identity.
        """
        keyring, user, hold = self.keyring, self._user, self._hold
        act = syscalls.revoke if self._plan is None else self._plan.end
        self._forget()
        try:
            _end(act, keyring, user, hold)
        except syscalls.KernelError as error:
            consequence = f"session keyring {keyring} of {user.name} was not revoked by us"
            raise _failed(error, consequence) from error
        finally:
            if hold is not None:
                hold.drop()
        line = "revoked session keyring %d" if self._plan is None else self._plan.end_line()
        say(log.DEBUG, line, keyring)

    def abandon(self) -> None:
        """The handle ends, perhaps only the copy of a forked child: revoke nothing.

        If the session is still open, keep it for a later handle.
        """
        if self._hold is not None:
            self._hold.drop()
            self._hold = None
        _unfinished.pop(self.keyring, None)
        if self.keyring and self.ends_with("close") and self._pid == libc.getpid():
            from . import left_open

            left_open.remember(self, abandoned)

    def is_of(self, uid: int, pid: int) -> bool:
        """Whether this process created the keyring, for this user."""
        return (self._user.uid, self._pid) == (uid, pid)

    def hold(self) -> None:
        """Keep the right to revoke the keyring if possession of it does not last."""
        if self.ends_with("cred") and self._hold is None:
            from .hold import Hold  # here, because few logins need it

            self._hold = Hold(self.keyring)

    def _forget(self) -> None:
        _unfinished.pop(self.keyring, None)
        abandoned.pop(self.keyring, None)
        self.keyring = 0
        self._hold = None


def _hold_displaced(lines: "Lines") -> None:
    try:
        displaced = _unfinished.get(syscalls.get_keyring_id(syscalls.SESSION_KEYRING))
    except syscalls.KernelError:
        return  # the keyring in place is already dead
    if displaced is not None:
        _hold(displaced, lines)


def _hold(session: Session, lines: "Lines") -> None:
    try:
        # As the host: links in @t count for the real user that created @t (key_payload_reserve
        # in the kernel), and a user must not prevent a revocation by using up a quota.
        identity.with_real_ids(*libc.effective_ids(), session.hold)
    except syscalls.KernelError as error:
        consequence = f"perhaps session keyring {session.keyring} cannot be revoked at its end"
        lines.append((log.WARNING, str(_failed(error, consequence))))


def _end(act: "Callable[[int], None]", keyring: int, user: "User", hold: "Hold | None") -> None:
    """Act with the keys that this thread possesses, or else as the owner, with the hold."""
    try:
        act(keyring)
    except syscalls.KernelError as error:
        from errno import EACCES

        if error.errno != EACCES:
            raise
    else:
        return

    def as_owner() -> None:
        identity.with_effective_ids(user.uid, user.gid, lambda: act(keyring))

    if hold is not None:
        hold.possessing(as_owner)
    else:
        as_owner()


def _attempt(consequence: str, call: "Callable[..., Result]", *arguments: "int | str") -> "Result":
    """Return call(*arguments).  Raise Failed, with the consequence, if it raises KernelError."""
    try:
        return call(*arguments)
    except syscalls.KernelError as error:
        raise _failed(error, consequence) from error


def _failed(error: syscalls.KernelError, consequence: str) -> "Failed":
    from .failure import failed

    return failed(error, consequence)


def _is_done(call: "Callable[[], object]") -> bool:
    """Whether the call succeeded; for use after a failure."""
    try:
        call()
    except BaseException:
        return False
    return True
