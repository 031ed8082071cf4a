"""Everything about one question to `explain` that has a say in the answer.  Pure."""

from typing import NamedTuple

from pykeyinit_helper.inspect import keytypes
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.output import Mend

Quota = tuple[int, int, int, int]  # keys used and allowed, bytes used and allowed

# What became of a session keyring, by what it gives; one that has expired is still searched.
DEAD = {
    "EKEYREVOKED": "has been revoked, as at the end of the login that made it",
    "EKEYEXPIRED": "has expired",
    "ENOKEY": "has been invalidated",
}


class Case(NamedTuple):
    """Facts, as the kernel gives them.  Who owns what is said by names."""

    asked: Asked
    user: str  # who asks
    error: str = ""  # the errno of the kernel's answer; "": the key can be used
    reading: str = ""  # the errno that reading it gives; EOPNOTSUPP: its type has none
    refused: str = ""  # the errno where keyctl(2) itself is refused
    filtered: tuple[tuple[str, str], ...] = ()  # other calls that are, each with its errno
    namespace: bool = False  # whether this is not the first user namespace
    shell: str = "sh"
    helper: str = "pykeyinit-helper"  # how the asker's shell finds it
    can_adopt: bool = True  # whether `adopt` could give the shell another session keyring

    # own | stand-in | outer (@us of a user namespace around) | foreign | unknown |
    # none (not even @us), or the errno that @s gives
    session: str = "own"
    session_owner: str = ""
    session_writable: bool = True
    user_found: bool = True  # whether @u is found through @s
    user_writable: bool = True
    quota: Quota | None = None

    serial: int = 0  # the key that is meant; 0: there is none that can be seen
    state: str = "live"  # live | revoked | expired | negative | hidden
    kind: str = ""
    description: str = ""
    type_exists: bool = True
    owner: str = ""
    path: tuple[str, ...] = ()  # names of keyrings from @t, @p or @s down to the key
    holders: tuple[str, ...] = ()  # where links to it can be taken out, as keyctl(1) has them
    below_user: bool = False  # whether it lies below @u
    below_user_session: bool = False  # or below @us
    place: str = ""  # where else: persistent | session | other
    place_name: str = ""  # and the keyring there
    blocker: str = ""  # what lies on the way and gives no search: "keyring NAME" or "it"
    blockers: tuple[tuple[int, int], ...] = ()  # all that is, if it may be changed: key and mask
    deep: int = 0  # the last keyring that is searched, where it is nested too deep
    dark: str = ""  # a keyring that gives neither search nor read, in which it may be
    share: str = "other"  # what the asker is to the key: user, group or other
    bits: int = 0  # what the key gives to that share
    possessor_bits: int = 0

    @property
    def good(self) -> bool:
        """Whether the key can be used: by the kernel's answer, and by nothing else."""
        return not self.error

    @property
    def named(self) -> bool:
        """Whether it was asked for by type and description."""
        return bool(self.asked.kind)

    @property
    def possessed(self) -> bool:
        """Whether request_key(2) finds it; the way may lead through what cannot be read."""
        return bool(self.path) or (self.good and self.named)

    def has_room(self) -> bool:
        """Whether a small key of the name that was asked for would fit into the quota."""
        if self.quota is None:
            return True
        keys, most_keys, size, most_bytes = self.quota
        needed = keytypes.size(self.asked.description) + _SMALL_KEY
        return keys < most_keys and size + needed < most_bytes


_SMALL_KEY = 100  # bytes: payload, link, the ends of strings


class Finding(NamedTuple):
    """One sentence.

    code           its name, for tests and programs
    mend           the command that puts it right, if there is one
    administrator  what else has to be done, and by whom that is not the asker
    there          a command for a process of the session in which the key is
    """

    code: str
    text: str
    mend: Mend | None = None
    administrator: str = ""
    there: Mend | None = None
