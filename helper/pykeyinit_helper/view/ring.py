"""A session keyring, and what of it a child tells to its parent."""

from typing import NamedTuple

LIVE, EXPIRING = "live", "expiring"
EXPIRED, REVOKED, INVALIDATED = "expired", "revoked", "invalidated"

NEAR = 90  # percent of a quota


class Session(NamedTuple):
    """One session keyring, as its owner sees it.  None: the kernel does not tell."""

    serial: int
    name: str
    state: str
    expires: str  # "never", "expired", or what is left, as the kernel has it: "5m"
    keys: int  # that are linked into it
    user_keyring: bool | None  # whether @u is, directly or in a keyring in it
    takes: tuple[int, int, bool]  # keys and bytes of the quota; whether that is all
    tag: str  # "" where there is none
    tagged_by: str


class Seen(NamedTuple):
    """What a user sees of their own keys."""

    sessions: list[Session]
    hidden: int  # keys of theirs that give their owner no view right


class Owner(NamedTuple):
    """A user who has keys: what is used of the quota, and what was seen; or why nothing was."""

    uid: int
    quota: tuple[int, int, int, int]  # keys used and allowed, bytes used and allowed
    seen: Seen | None
    error: str = ""

    @property
    def share(self) -> float:
        """How much of the quota is used, of keys or bytes, whichever is more."""
        keys, most, size, largest = self.quota
        return max(keys / most if most else 0, size / largest if largest else 0)


def origin(session: Session) -> dict[str, str]:
    """What a tag says: the program that left it, and its NAME=VALUE words.  Anybody's words.

    The user can take a tag out, and put another one there.
    """
    if not session.tagged_by:
        return {}
    if session.tagged_by != "pam_pykeyinit":
        return {"by": session.tagged_by, "service": session.tag}
    words = dict(word.partition("=")[::2] for word in session.tag.split(" ") if "=" in word)
    return {"by": session.tagged_by, **{name: words[name] for name in WORDS if name in words}}


WORDS = ("service", "tty", "rhost", "time", "pid")  # policies/tag.py
