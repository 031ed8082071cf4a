"""A session keyring, and the part of it that a child reports to its parent."""

from typing import NamedTuple

from pam_pykeyinit.policies import quota

LIVE, EXPIRING = "live", "expiring"
EXPIRED, REVOKED, INVALIDATED = "expired", "revoked", "invalidated"

_NEAR = 90  # percent of a quota


class Session(NamedTuple):
    """One session keyring, as its owner sees it.  None means unknown."""

    serial: int
    name: str
    state: str
    expires: str  # "never", "expired", or the remaining time, as the kernel prints it: "5m"
    keys: int  # the number of its links
    user_keyring: bool | None  # whether @u is in it, directly or below
    takes: tuple[int, int, bool]  # keys and bytes of the quota; whether this is complete
    tag: str  # "" without a tag
    tagged_by: str


class Seen(NamedTuple):
    """What a user sees of their own keys."""

    sessions: list[Session]
    hidden: int  # keys of the user without view permission for the owner


class Owner(NamedTuple):
    """A user with keys: the used quota, and what was seen, or the reason why nothing was."""

    uid: int
    quota: tuple[int, int, int, int]  # keys used and allowed, bytes used and allowed
    seen: Seen | None
    error: str = ""

    @property
    def is_near(self) -> bool:
        """Whether the quota is nearly used up."""
        return quota.above(self.quota, _NEAR - 1)

    @property
    def share(self) -> float:
        """The used share of the quota, of keys or bytes, whichever is larger."""
        keys, most, size, largest = self.quota
        return max(keys / most if most else 0, size / largest if largest else 0)


def origin(session: Session) -> dict[str, str]:
    """Parse a tag: its program, and its NAME=VALUE words, which are not trustworthy.

    The user can unlink a tag, and add another one.
    """
    if not session.tagged_by:
        return {}
    if session.tagged_by != "pam_pykeyinit":
        return {"by": session.tagged_by, "service": session.tag}
    words = dict(word.partition("=")[::2] for word in session.tag.split(" ") if "=" in word)
    return {"by": session.tagged_by, **{name: words[name] for name in WORDS if name in words}}


WORDS = ("service", "tty", "rhost", "time", "pid")  # policies/tag.py
