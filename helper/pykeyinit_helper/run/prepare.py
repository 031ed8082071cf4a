"""Give this thread the session keyring of a program.

decide.py decides; this acts, with the ids that the program will have.
"""

from errno import errorcode
from posix import getuid

from pam_pykeyinit.failure import Failed, failed
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import decide
from pykeyinit_helper.become import Refused
from pykeyinit_helper.run.links import Links
from pykeyinit_helper.session_keyring import SessionKeyring, is_user_session, look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pykeyinit_helper.run.shared import Shared

__all__ = ["SessionKeyring", "Preparation", "look"]


class Preparation:
    """The preparation of one session keyring.  Its attributes have the result of run().

    asked    one of decide.ASKED
    name     the keyring's name, for decide.NAMED
    links    the keyrings to link into it, or None for the default of decide.links
    tag      a text to add to it as a small key, or None
    done     the action of decide.py that was done, or ""
    created  whether this created the session keyring, and may revoke it
    serial   its serial number; 0 if it is unknown
    notices  lines for the user; refusals: calls that the kernel refused
    steps    lines for --debug
    left     the keyring of another user that was left before the user was changed, or None;
    empty    and the serial number of the keyring that was created to leave it
    outer    the keyring of an outer user namespace to link, decide.OUTER; otherwise 0
    shared   the lock that was opened before the user was changed, for a named keyring, or None
    """

    def __init__(
        self,
        asked: str = decide.FALLBACK,
        name: str = "",
        links: "tuple[str, ...] | None" = None,
        tag: "str | None" = None,
    ) -> None:
        self.asked = asked
        self.name = name
        self.links = links
        self.tag = tag
        self.done = ""
        self.created = False
        self.serial = 0
        self.notices: list[str] = []
        self.refusals: list[Failed] = []
        self.steps: list[str] = []
        self.left: SessionKeyring | None = None
        self.empty = 0
        self.outer = 0
        self.shared: "Shared | None" = None

    def run(self) -> None:
        """Prepare the keyring, as the user whose real uid this thread has.

        Raises Refused if a session keyring of another user is in place at the end, and was not
        to be kept: no program may be started in it.  Raises NotRestored.
        """
        uid = getuid()
        found = self._look_first(uid)
        wanted = decide.action(found.state, self.asked)
        if found.state == decide.OUTER and self.asked == decide.FALLBACK:
            self.outer = found.serial
        if wanted == decide.LEAVE:
            self._keep(found)
        else:
            self._join(wanted, found, uid)
        if self.done and found.state not in _NOT_FOR_US.get(self.done, ()):
            self._put_links()
            if self.done == decide.JOIN_NAMED:
                self._judge_again(uid)
        self._look_again(uid)

    def is_user_session(self) -> bool:
        """Whether the session keyring is the user-session keyring."""
        return is_user_session(self.serial)

    def _look_first(self, uid: int) -> SessionKeyring:
        try:
            found = look(uid)
        except syscalls.KernelError as error:
            self.refusals.append(failed(error, "the session keyring cannot be seen"))
            return SessionKeyring(decide.UNKNOWN)
        self.steps.append(f"found: {found.state}, {self.left or found}")
        return found

    def _keep(self, found: SessionKeyring) -> None:
        if found.state == decide.UNKNOWN:
            return
        self.done, self.serial = decide.LEAVE, found.serial
        if found.state in (decide.FOREIGN, decide.DEAD):
            self.notices.append(f"{found} is kept, and nothing is added to it")

    def _join(self, wanted: str, found: SessionKeyring, uid: int) -> None:
        """Join a session keyring of the target user."""
        joined = (wanted == decide.JOIN_USER_SESSION and self._join_user_session(uid)) or (
            wanted == decide.JOIN_NAMED and self._join_named(uid)
        )
        if not joined and not self._join_new(found, uid):
            return
        in_the_way = found.state in (decide.FOREIGN, decide.DEAD)
        if in_the_way and not self.refusals:
            there = self.left or found
            self.notices.append(f"{there} was replaced by {self.serial}")

    def _join_user_session(self, uid: int) -> bool:
        from pam_pykeyinit.policies import naming

        if not naming.join_user_session(uid):
            self.steps.append("the user-session keyring cannot be joined")
            return False
        self._take_user_session()
        return True

    def _take_user_session(self) -> None:
        self.serial = syscalls.get_keyring_id(syscalls.USER_SESSION_KEYRING)
        self.done, self.created = decide.JOIN_USER_SESSION, False
        self.steps.append(f"joined the user-session keyring {self.serial}")

    def _join_named(self, uid: int) -> bool:
        """Join the named keyring, and leave it if it is not the user's alone."""
        from pykeyinit_helper.run.shared import Shared

        shared = self.shared or Shared(self.name, uid)
        try:
            serial, wrong, made = shared.take()
        except syscalls.KernelError as error:
            self.refusals.append(failed(error, f"no session keyring named {self.name[:64]}"))
            return False
        finally:
            self.steps += shared.steps()
        if wrong:
            self._leave(serial, wrong, uid)
            return True
        self.done, self.serial, self.created = decide.JOIN_NAMED, serial, made
        self.steps.append(f"{'made' if made else 'joined'} {serial} by name")
        return True

    def _leave(self, serial: int, wrong: str, uid: int) -> None:
        """Leave a named keyring that is not the user's alone.  Raises Refused if that fails."""
        from pam_pykeyinit.policies import naming

        who = f"the session keyring named {self.name[:64]} {wrong}"
        try:
            self.serial = naming.leave_for_new(uid)
        except naming.NotLeft as error:
            why = f"{error.call}: {errorcode.get(error.errno, error.errno)}"
            raise Refused(f"{who}, and cannot be left ({why}); nothing was started") from error
        except syscalls.KernelError as error:
            self.refusals.append(failed(error, f"{who}: the user-session keyring is used instead"))
            self._take_user_session()
        else:
            self.refusals.append(Failed(f"{who}: a new one without a name is used instead"))
            self.done, self.created = decide.JOIN_NEW, True
            self.steps.append(f"left {serial} for the new session keyring {self.serial}")

    def _join_new(self, found: SessionKeyring, uid: int) -> bool:
        """Join a new one; if the kernel refuses it, use the user-session keyring."""
        try:
            self.serial = syscalls.join_anonymous_session()
        except syscalls.KernelError as error:
            instead = f"{found} stays in place"
            if found.state == decide.USER_SESSION:
                self.done, self.serial = decide.JOIN_USER_SESSION, found.serial
                instead = "the user-session keyring is used"
            elif found.state not in (decide.OWN, decide.OUTER) and self._join_user_session(uid):
                instead = f"the user-session keyring {self.serial} replaces {found}"
            if found.state != decide.UNKNOWN or self.done:  # otherwise it is reported already
                self.refusals.append(failed(error, f"no new session keyring: {instead}"))
            return self.done != ""
        self.done, self.created = decide.JOIN_NEW, True
        self.steps.append(f"joined new session keyring {self.serial}")
        return True

    def _put_links(self) -> None:
        into = Links(self.serial, self.steps, self.refusals)
        for what in decide.links(self.done, self.asked, self.links):
            if not (what == decide.USER_SESSION and self.is_user_session()):
                into.link(what)
        if self.outer and self.created:
            into.link_outer(self.outer)
        if self.tag is not None:
            into.leave_tag(self.tag)

    def _judge_again(self, uid: int) -> None:
        """Check a named keyring again: its owner may have changed its permissions."""
        from pam_pykeyinit.policies import naming

        wrong = naming.judge(self.serial, uid)
        if wrong:
            self._leave(self.serial, wrong, uid)
            self._put_links()

    def _look_again(self, uid: int) -> None:
        """Check which session keyring is in place now."""
        try:
            now = look(uid)
        except syscalls.KernelError:
            return  # all keyrings are denied, also to the program
        if self.done and now.serial != self.serial and now.state != decide.DEAD:
            self.refusals.append(Failed(f"{now} is in place, and not {self.serial}"))
            self.created = False
        ours = (self.serial if self.done else 0, self.empty)
        if now.state == decide.FOREIGN and self.asked != decide.KEEP and now.serial not in ours:
            why = f"; {self.refusals[-1]}" if self.refusals else ""
            raise Refused(f"{now} cannot be left, and nothing was started in it{why}")
        self.serial = now.serial


# Nothing may be added to a keyring that was kept although it is another user's, or dead.
_NOT_FOR_US = {decide.LEAVE: (decide.FOREIGN, decide.DEAD)}
