"""Give this thread the session keyring that a program is to run with.

What is decided is in `decide`; here it is done, with the ids that the program will have.
"""

from errno import EKEYEXPIRED, EKEYREVOKED, ENOKEY
from posix import getuid

from pam_pykeyinit import kernel
from pam_pykeyinit.failure import Failed, failed
from pykeyinit_helper import decide, keyctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DEAD = (EKEYREVOKED, EKEYEXPIRED, ENOKEY)

# A named keyring is born without search for its owner, and then no second join finds it.
_NAMED_BORN = 0x3F130000
_NAMED_FOUND = _NAMED_BORN | 0x00080000

_OVERFLOW_UID = 65534  # also nobody's own
_ALL_OF_THEM = ["0", "0", "4294967295"]  # the first user namespace

_SPECIAL = {decide.USER: kernel.USER_KEYRING, decide.USER_SESSION: kernel.USER_SESSION_KEYRING}


class Found:
    """What is in place as the session keyring: its state, serial number and owner."""

    __slots__ = ("serial", "state", "uid")

    def __init__(self, state: str, serial: int = 0, uid: int = -1) -> None:
        self.state = state
        self.serial = serial
        self.uid = uid

    def __str__(self) -> str:
        if self.state == decide.DEAD:
            return "a revoked or expired session keyring"
        owner = f"uid {self.uid}" if self.uid >= 0 else "somebody unknown"
        return f"session keyring {self.serial} of {owner}"


def look(target: int) -> Found:
    """What the session keyring is to the target user, whose real uid this thread has.

    Where there is none, this installs the user-session keyring.  Raises KernelError.
    """
    try:
        serial = kernel.get_keyring_id(kernel.SESSION_KEYRING)
    except kernel.KernelError as error:
        if error.errno in _DEAD:
            return Found(decide.DEAD)
        raise
    try:
        kind, uid, _, _, description = keyctl.describe(kernel.SESSION_KEYRING)
    except kernel.KernelError:  # its owner has hidden it: no reason to trust it
        return Found(decide.FOREIGN, serial)
    if _stands_for_many(uid):
        return Found(decide.FOREIGN, serial)
    return Found(decide.state(kind, uid, description, target), serial, uid)


def _stands_for_many(uid: int) -> bool:
    """Whether it is the uid shown for all that have none in this user namespace.

    user_namespaces(7), "Unmapped user and group IDs"; without /proc to tell it is.
    """
    if uid != _OVERFLOW_UID:
        return False
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return file.read().split() != _ALL_OF_THEM
    except OSError:
        return True


class Preparation:
    """One session keyring being prepared.  Look at its attributes after `run`.

    asked    one of decide.ASKED
    name     the keyring's name, for decide.NAMED
    links    what to link into it, or None for what decide.links says
    tag      a text to leave in it as a small key, or None
    done     what was done: one of decide's actions; "" while that is nothing
    created  whether the session keyring is one that this made, and may revoke
    notices  what the user should know; refusals: what the kernel denied
    steps    what was done, for --debug
    left     the foreign keyring that was left before the user was changed, or None
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
        self.left: Found | None = None

    def run(self) -> None:
        """Do it, as the user whose real uid this thread has.  Raises nothing of its own."""
        uid = getuid()
        try:
            found = look(uid)
        except kernel.KernelError as error:
            self.refusals.append(failed(error, "the session keyring is left as it is"))
            return
        self.steps.append(f"found: {found.state}, {self.left or found}")
        wanted = decide.action(found.state, self.asked, uid)
        if not self._join(wanted, found, uid):
            return
        self._report(found)
        for what in decide.links(self.done, self.asked, uid) if self.links is None else self.links:
            self._link(what)
        if self.tag is not None:
            self._leave_tag(self.tag)

    def _join(self, wanted: str, found: Found, uid: int) -> bool:
        """Whether the session keyring is now one of the target user's, to be put things in."""
        if wanted == decide.LEAVE:
            self.done, self.serial = wanted, found.serial
            if found.state in (decide.FOREIGN, decide.DEAD):
                self.notices.append(f"{found} is kept, and nothing is put into it")
                return False
            return True
        if wanted == decide.JOIN_USER_SESSION and self._join_user_session():
            return True
        if wanted == decide.JOIN_NAMED and self._join_named(uid):
            return True
        return self._join_new(found)

    def _join_user_session(self) -> bool:
        """Make the user-session keyring the session keyring again.

        There is no call for it, but it can be joined by its name, which root or its owner
        may; whether it was that one is looked at afterwards, for names can be forged.
        """
        try:
            serial = kernel.get_keyring_id(kernel.USER_SESSION_KEYRING)
            keyctl.join_named_session(keyctl.describe(serial)[4])
            joined = kernel.get_keyring_id(kernel.SESSION_KEYRING)
        except kernel.KernelError as error:
            self.steps.append(f"not joined: {error.call}: {error.strerror}")
            return False
        if joined != serial:
            self.steps.append(f"joined {joined}, which is not @us: leaving it")
            return False
        self.done, self.serial = decide.JOIN_USER_SESSION, serial
        self.steps.append(f"joined the user-session keyring {serial}")
        return True

    def _join_named(self, uid: int) -> bool:
        """Join the named keyring.  Another user's of that name is left at once."""
        try:
            keyctl.join_named_session(self.name)
            serial = kernel.get_keyring_id(kernel.SESSION_KEYRING)
            kind, owner, _, mask, description = keyctl.describe(kernel.SESSION_KEYRING)
        except kernel.KernelError as error:
            self.refusals.append(failed(error, f"no session keyring named {self.name[:64]}"))
            return False
        if (kind, owner, description) != ("keyring", uid, self.name):
            who = f"the session keyring named {self.name[:64]} belongs to uid {owner}"
            self.refusals.append(Failed(f"{who}: a new one without a name is used instead"))
            return False
        self.done, self.serial = decide.JOIN_NAMED, serial
        self.created = mask == _NAMED_BORN
        self.steps.append(f"{'made' if self.created else 'joined'} {serial} by name")
        if self.created:
            self._attempt(
                "its owner may search it",
                "the next program will not find it by its name",
                kernel.set_permissions,
                serial,
                _NAMED_FOUND,
            )
        return True

    def _join_new(self, found: Found) -> bool:
        try:
            self.serial = kernel.join_anonymous_session()
        except kernel.KernelError as error:
            instead = f"{found} stays in its place"
            if found.state in (decide.FOREIGN, decide.DEAD) and self._join_user_session():
                instead = f"the user-session keyring {self.serial} takes the place of {found}"
            self.refusals.append(failed(error, f"no new session keyring: {instead}"))
            return self.done != ""
        self.done, self.created = decide.JOIN_NEW, True
        self.steps.append(f"joined new session keyring {self.serial}")
        return True

    def _report(self, found: Found) -> None:
        in_the_way = found.state in (decide.FOREIGN, decide.DEAD)
        if in_the_way and self.done != decide.LEAVE and not self.refusals:
            there = self.left or found
            self.notices.append(f"{there} was in the way: replaced by {self.serial}")

    def _link(self, what: str) -> None:
        done = f"linked the {what} keyring into it"
        into = f"the session keyring does not lead to the {what} keyring"
        if what == decide.PERSISTENT:
            self._attempt(done, into, keyctl.get_persistent, -1, kernel.SESSION_KEYRING)
        elif not (what == decide.USER_SESSION and self.is_user_session()):
            self._attempt(done, into, kernel.link, _SPECIAL[what], kernel.SESSION_KEYRING)

    def is_user_session(self) -> bool:
        """Whether the session keyring is the user-session keyring."""
        try:
            return self.serial == kernel.get_keyring_id(kernel.USER_SESSION_KEYRING)
        except kernel.KernelError:
            return False

    def _leave_tag(self, text: str) -> None:
        payload = text.encode("utf-8", "surrogateescape")
        description = f"pykeyinit-helper:{text}"
        self._attempt(
            f"left the tag {text[:64]}",
            "no tag is left",
            keyctl.add_user_key,
            description,
            payload,
            kernel.SESSION_KEYRING,
        )

    def _attempt(
        self, done: str, consequence: str, call: "Callable[..., object]", *words: object
    ) -> None:
        try:
            call(*words)
            self.steps.append(done)
        except kernel.KernelError as error:
            self.refusals.append(failed(error, consequence))
