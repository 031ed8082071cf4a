"""The service functions of the PAM module.  Only this code sees a PAM handle.

Only here a failure becomes a return code and a line in the log.
"""

from . import codes, log, options
from .session import Session, abandoned, must_revoke
from .user import User, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .failure import Verdict
    from .pam import Pamh
    from .policies.words import Policy

    Action = Callable[[Pamh, options.Options, log.Say], int]


class Handle:
    """The service functions of one PAM handle, and its state."""

    __slots__ = ("_named", "_session")

    def __init__(self) -> None:
        self._session = Session()
        self._named: tuple[str, ...] = ()

    def pam_sm_authenticate(self, pamh: "Pamh", flags: int, argv: "list[str]") -> int:
        """Do nothing: the auth line is for setcred."""
        return codes.PAM_IGNORE

    def pam_sm_acct_mgmt(self, pamh: "Pamh", flags: int, argv: "list[str]") -> int:
        """Do nothing."""
        return codes.PAM_IGNORE

    def pam_sm_chauthtok(self, pamh: "Pamh", flags: int, argv: "list[str]") -> int:
        """Do nothing."""
        return codes.PAM_IGNORE

    def pam_sm_setcred(self, pamh: "Pamh", flags: int, argv: "list[str]") -> int:
        """Create the keyring with ESTABLISH_CRED, end it with DELETE_CRED."""
        if flags & codes.PAM_ESTABLISH_CRED:
            return self._guard(self._initialise, "setcred", codes.PAM_CRED_ERR, pamh, argv)
        if flags & codes.PAM_DELETE_CRED:
            return self._guard(self._delete, "setcred", codes.PAM_CRED_ERR, pamh, argv)
        if flags & (codes.PAM_REINITIALIZE_CRED | codes.PAM_REFRESH_CRED) and "refresh" in argv:
            return self._guard(self._refresh, "setcred", codes.PAM_CRED_ERR, pamh, argv)
        return codes.PAM_IGNORE

    def pam_sm_open_session(self, pamh: "Pamh", flags: int, argv: "list[str]") -> int:
        """Create the keyring, unless setcred has."""
        return self._guard(self._open, "session", codes.PAM_SESSION_ERR, pamh, argv)

    def pam_sm_close_session(self, pamh: "Pamh", flags: int, argv: "list[str]") -> int:
        """End the keyring at the last close of the handle."""
        return self._guard(self._close, "session", codes.PAM_SESSION_ERR, pamh, argv)

    def pam_sm_end(self, pamh: "Pamh") -> None:
        """Called at pam_end(3), also in forked children."""
        self._session.abandon()

    def _guard(
        self, action: "Action", kind: str, error: int, pamh: "Pamh", argv: "list[str]"
    ) -> int:
        """Run the action of one call; handle every exception."""
        try:
            asked = options.parse(argv[1:])  # argv[0] is the name of the module's file
            return action(pamh, asked, log.writer(pamh, kind, asked.debug))
        except BaseException as raised:  # also SystemExit and KeyboardInterrupt of a host
            code, priority, text = _verdict(raised, error)
        # An unknown user gets no keyring, as with pam_keyinit.
        if action in (self._open, self._initialise) and priority != log.NOTICE:
            text += self._displaced(argv)
        try:
            log.write(pamh, kind, priority, text)
        except BaseException:  # out of memory: the code must still be the right one
            pass
        return code

    def _displaced(self, argv: "list[str]") -> str:
        """If no keyring was created, replace the caller's keyring where the options require it.

        With `name=`, the keyring in place may be another user's that could not be left.
        Returns the text to add to the line in the log.
        """
        strict = any(word == "force" or word.startswith("name=") for word in argv[1:])
        if self._session.keyring or not strict:
            return ""
        return f"; {self._session.displace()}"

    def has_keyring(self) -> bool:
        """Whether there is a session keyring that was created and not ended."""
        return self._session.keyring != 0

    def _open(self, pamh: "Pamh", asked: options.Options, say: "log.Say") -> int:
        self._session.opens += 1
        say(log.DEBUG, "open %d", self._session.opens)
        return self._initialise(pamh, asked, say)

    def _initialise(self, pamh: "Pamh", asked: options.Options, say: "log.Say") -> int:
        for line in asked.wrong:
            self._once(say, log.ERR, line)
        session = self._session
        session.revoke = session.revoke or asked.revoke
        if not session.keyring:  # setcred and open_session come in either order
            user = find(pamh)
            if asked.policy is None:
                session.create(user, asked.force, say)
            else:
                self._follow(asked.policy, asked.force, pamh, user, say)
        return codes.PAM_SUCCESS

    def _follow(
        self, policy: "Policy", force: bool, pamh: "Pamh", user: User, say: "log.Say"
    ) -> None:
        """Create the keyring with options that pam_keyinit does not have."""
        from .policies.plan import Plan  # here, because most lines have no such option

        if policy.leaves_out(user.uid):
            say(log.DEBUG, f"{user.name} is left out")
            return
        plan = Plan(policy, user, pamh)
        try:
            self._session.create(user, force, say, plan)
        except Exception as error:
            if not plan.tolerates(error):
                raise
            line = f"{error}: continuing without it, by on_error=degrade"
            self._once(say, log.WARNING, line + self._displaced(["", *["force"] * force]))
        plan.look_at_quota(say)

    def _once(self, say: "log.Say", priority: int, line: str) -> None:
        """Write a line at most once for a handle."""
        if line not in self._named:
            self._named += (line,)
            say(priority, line)

    def _refresh(self, pamh: "Pamh", asked: options.Options, say: "log.Say") -> int:
        from .policies.plan import Plan
        from .policies.refresh import Refresh

        user = find(pamh)
        if asked.policy is None or asked.policy.leaves_out(user.uid):
            return codes.PAM_IGNORE
        return Refresh(Plan(asked.policy, user, pamh), user, self._session.keyring).run(say)

    def _delete(self, pamh: "Pamh", asked: options.Options, say: "log.Say") -> int:
        if not (self._session.keyring and self._session.ends_with("cred")):
            return codes.PAM_IGNORE
        self._session.end(say)
        return codes.PAM_SUCCESS

    def _close(self, pamh: "Pamh", asked: options.Options, say: "log.Say") -> int:
        session = self._session
        session.opens -= 1
        if abandoned and asked.revoke and not session.keyring and session.opens < 0:
            session = self._left_open(pamh, say) or session
        say(log.DEBUG, "close, %d left, session keyring %d", session.opens, session.keyring)
        if must_revoke(session.opens, session.keyring, session.ends_with("close")):
            try:
                session.end(say)
            except Exception as error:
                from .failure import Failed

                if not isinstance(error, Failed):
                    raise
                say(log.ERR, str(error))  # the user has logged out: do not fail
        return codes.PAM_SUCCESS

    def _left_open(self, pamh: "Pamh", say: "log.Say") -> "Session | None":
        """The session of this thread, if an ended handle of the user left it open."""
        from . import left_open

        try:
            return left_open.close(find(pamh), abandoned)
        except Exception as error:
            _, priority, text = _verdict(error, codes.PAM_SUCCESS)
            say(priority, text)  # as in _close: do not fail
            return None


def _verdict(error: BaseException, code: int) -> "Verdict":
    try:
        from .failure import verdict

        return verdict(error, code)
    except BaseException:  # out of memory: the code must still be the right one
        return code, log.ERR, "internal error"
