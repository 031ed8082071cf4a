"""The session keyring of one PAM handle: what to do with it, and doing it.

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

# The sessions that are to revoke a keyring, by its serial number.  It is asked one thing
# only: is the keyring that a login is about to displace one of these?
_unfinished: "dict[int, Session]" = {}


def must_create(session: int, user_session: int) -> bool:
    """Whether a session keyring has to be made where `force` was not given.

    A thread that has none is shown its user-session keyring (kernel.get_keyring_id), so
    having none and having that one look the same here, and are treated the same.
    """
    return session == user_session


def must_revoke(opens: int, keyring: int, revoke: bool) -> bool:
    """Whether this close_session ends the keyring.

    `opens` is what is still open after it, below zero after a close without an open.
    """
    return revoke and keyring != 0 and opens <= 0


class Session:
    """What one handle has made, and what it owes.  `keyring` is 0 while that is nothing.

    `_plan` is what options beyond pam_keyinit's ask for, where there are any.
    """

    __slots__ = ("_hold", "_plan", "_user", "keyring", "opens", "revoke")

    def __init__(self) -> None:
        self.keyring = 0
        self.opens = 0
        self.revoke = False
        self._user: "User"  # from create() on
        self._hold: "Hold | None" = None
        self._plan: "Plan | None" = None

    def create(self, user: "User", force: bool, say: log.Log, plan: "Plan | None" = None) -> None:
        """Give the thread a session keyring of `user`, with the user keyring linked into it.

        Without `force`, one that is in place is kept.  One that was made and could not be
        linked is remembered, and revoked in its time.
        Raises Failed, and NotRestored from identity.
        """
        self._user = user
        self._plan = plan
        lines: "Lines" = []

        def make(*, force: bool) -> None:
            identity.with_real_ids(user.uid, user.gid, lambda: self._make(force, lines))

        linked = False
        try:
            if plan is None and force and not _unfinished:
                self._join(lambda join: identity.with_real_ids(user.uid, user.gid, join))
            elif plan is None:
                make(force=force)
            else:
                plan.with_lock(make, force, lines)
            linked = bool(self.keyring)
        except syscalls.KernelError as error:
            raise _failed(error, self._lacks()) from error
        finally:
            if plan is None and self.keyring:
                self.made(self.keyring, lines)
                if linked:
                    lines.append((log.DEBUG, "linked user keyring into %d", self.keyring))
            for line in lines:  # not before: a log line carries its sender's ids
                say(*line)

    def displace(self) -> str:
        """Have an empty session keyring in place of the caller's, the user's if that can be.

        It is for where none can be made as it should be.  Returns what became of it, in words.
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

    def _make(self, force: bool, lines: "Lines") -> None:
        """What is done with the user's real ids."""
        if not force:
            try:
                session = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
            except syscalls.KernelError as error:
                why = _failed(error, f"{self.without()} without 'force'")
                from errno import ENOSYS

                if error.errno != ENOSYS:
                    raise why from error
                lines.append((log.NOTICE, str(why)))
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
        self._join(lambda join: join())

    def _join(self, do: "Callable[[Callable[[], None]], object]") -> None:
        """Join a new session keyring by do(what joins it), and remember it."""
        results: "list[int]" = []
        try:
            do(syscalls.new_session(results))
        finally:
            if results:
                self.keyring = max(results[0], 0)
        syscalls.check_new_session(results)

    def made(self, keyring: int, lines: "Lines", kind: str = "new") -> None:
        """Remember a keyring that was joined, and see to it that it can be ended."""
        self.keyring = keyring
        _unfinished[keyring] = self
        lines.append((log.DEBUG, f"joined {kind} session keyring %d", keyring))
        if self.ends_with("cred") and syscalls.has_threads():
            _hold(self, lines)

    def ends_with(self, call: str) -> bool:
        """Whether the keyring is ended by this call: "close", or "cred" for DELETE_CRED."""
        return self.revoke and (self._plan is None or self._plan.ends_with(call))

    def without(self) -> str:
        """What follows for the user where no keyring can be made, in words."""
        return f"{self._user.name} gets no new session keyring"

    def _lacks(self) -> str:
        """The same, or what the keyring lacks that was made."""
        if not self.keyring:
            return self.without()
        return f"session keyring {self.keyring} does not lead to the keys of {self._user.name}"

    def end(self, say: log.Log) -> None:
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
        told = "revoked session keyring %d" if self._plan is None else self._plan.told()
        say(log.DEBUG, told, keyring)

    def abandon(self) -> None:
        """The handle is gone, perhaps only this process's copy of it: revoke nothing."""
        if self._hold is not None:
            self._hold.drop()
        self._forget()

    def hold(self) -> None:
        """Keep the right to revoke the keyring where possession of it does not last."""
        if self.ends_with("cred") and self._hold is None:
            from .hold import Hold  # here: few logins need it, and each pays for an import

            self._hold = Hold(self.keyring)

    def _forget(self) -> None:
        _unfinished.pop(self.keyring, None)
        self.keyring = 0
        self._hold = None


def _hold_displaced(lines: "Lines") -> None:
    try:
        displaced = _unfinished.get(syscalls.get_keyring_id(syscalls.SESSION_KEYRING))
    except syscalls.KernelError:
        return  # what is in place is dead already
    if displaced is not None:
        _hold(displaced, lines)


def _hold(session: Session, lines: "Lines") -> None:
    try:
        # As the host: links in @t are charged to the real user that made @t, and no user's
        # quota, used up on purpose, is to decide whether somebody's session is revoked.
        identity.with_real_ids(*libc.effective_ids(), session.hold)
    except syscalls.KernelError as error:
        consequence = f"perhaps session keyring {session.keyring} cannot be revoked at its end"
        lines.append((log.WARNING, str(_failed(error, consequence))))


def _end(act: "Callable[[int], None]", keyring: int, user: "User", hold: "Hold | None") -> None:
    """Act by what this thread possesses; failing that, as the owner, and by the hold."""
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
    """Return call(*arguments); raise Failed, with the consequence, for its KernelError."""
    try:
        return call(*arguments)
    except syscalls.KernelError as error:
        raise _failed(error, consequence) from error


def _failed(error: syscalls.KernelError, consequence: str) -> "Failed":
    from .failure import failed

    return failed(error, consequence)


def _is_done(call: "Callable[[], object]") -> bool:
    """Whether it could be done; for where something has failed before."""
    try:
        call()
    except BaseException:
        return False
    return True
