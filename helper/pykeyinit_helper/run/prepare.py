"""Give this thread the session keyring that a program is to run with.

What is decided is in `decide`; here it is done, with the ids that the program will have.
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
    """One session keyring being prepared.  Look at its attributes after `run`.

    asked    one of decide.ASKED
    name     the keyring's name, for decide.NAMED
    links    what to link into it, or None for what decide.links says
    tag      a text to leave in it as a small key, or None
    done     what was done: one of decide's actions; "" while that is nothing
    created  whether the session keyring is one that this made, and may revoke
    serial   its serial number; 0 where that cannot be found out
    notices  what the user should know; refusals: what the kernel denied
    steps    what was done, for --debug
    left     the foreign keyring that was left before the user was changed, or None;
    empty    and the serial number of the one that was made to leave it
    outer    what the new one is to lead to as well: decide.OUTER; otherwise 0
    shared   what was opened before the user was changed, for a keyring with a name, or None
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
        """Do it, as the user whose real uid this thread has.

        Raises Refused where a session keyring of somebody else's, who was not to be kept,
        is in place at the end: nothing must be started in it.  Raises NotRestored.
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
        """Make the session keyring one of the target user's."""
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
        """Join the named keyring.  One that is not the user's alone is left at once."""
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
        """Leave a named keyring that is not the user's alone.  Raises Refused where it stays."""
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
        """Join a new one; where the kernel refuses it, the user-session keyring serves."""
        try:
            self.serial = syscalls.join_anonymous_session()
        except syscalls.KernelError as error:
            instead = f"{found} stays in place"
            if found.state == decide.USER_SESSION:
                self.done, self.serial = decide.JOIN_USER_SESSION, found.serial
                instead = "the user-session keyring is used"
            elif found.state not in (decide.OWN, decide.OUTER) and self._join_user_session(uid):
                instead = f"the user-session keyring {self.serial} takes the place of {found}"
            if found.state != decide.UNKNOWN or self.done:  # otherwise that has been said
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
        """Its owner may have opened a named keyring to others in the meantime."""
        from pam_pykeyinit.policies import naming

        wrong = naming.judge(self.serial, uid)
        if wrong:
            self._leave(self.serial, wrong, uid)
            self._put_links()

    def _look_again(self, uid: int) -> None:
        """What is in place after all this is what counts."""
        try:
            now = look(uid)
        except syscalls.KernelError:
            return  # keyrings are denied as a whole, and to the program as well
        if self.done and now.serial != self.serial and now.state != decide.DEAD:
            self.refusals.append(Failed(f"{now} is in place, and not {self.serial}"))
        ours = (self.serial if self.done else 0, self.empty)
        if now.state == decide.FOREIGN and self.asked != decide.KEEP and now.serial not in ours:
            why = f"; {self.refusals[-1]}" if self.refusals else ""
            raise Refused(f"{now} cannot be left, and nothing was started in it{why}")
        self.serial = now.serial


# What must not be put into: a keyring that was kept though it is not the user's, or dead.
_NOT_FOR_US = {decide.LEAVE: (decide.FOREIGN, decide.DEAD)}
