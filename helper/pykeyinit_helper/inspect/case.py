"""All facts about one question to `explain`.  Pure."""

from typing import NamedTuple

from pykeyinit_helper.inspect import keytypes
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.output import Mend

Quota = tuple[int, int, int, int]  # keys used and allowed, bytes used and allowed

# The state of a session keyring by its errno; an expired one is still searched.
DEAD = {
    "EKEYREVOKED": "has been revoked, as at the end of the login that made it",
    "EKEYEXPIRED": "has expired",
    "ENOKEY": "has been invalidated",
}


class Case(NamedTuple):
    """Facts from the kernel.  Owners are user names."""

    asked: Asked
    user: str  # the caller
    error: str = ""  # the errno of the kernel's answer; "": the key can be used
    reading: str = ""  # the errno of reading it; EOPNOTSUPP: its type cannot be read
    refused: str = ""  # the errno if keyctl(2) itself is refused
    filtered: tuple[tuple[str, str], ...] = ()  # other refused calls, each with its errno
    namespace: bool = False  # whether this is not the first user namespace
    shell: str = "sh"
    helper: str = "pykeyinit-helper"  # how the caller's shell finds it
    can_adopt: bool = True  # whether `adopt` could give the shell another session keyring

    # own | stand-in | outer (@us of an outer user namespace) | foreign | unknown |
    # none (not even @us), or the errno that @s gives
    session: str = "own"
    session_owner: str = ""
    session_writable: bool = True
    user_found: bool = True  # whether @u is found through @s
    user_writable: bool = True
    quota: Quota | None = None

    serial: int = 0  # the key; 0: no key is visible
    state: str = "live"  # live | revoked | expired | negative | hidden
    kind: str = ""
    description: str = ""
    type_exists: bool = True
    owner: str = ""
    path: tuple[str, ...] = ()  # names of keyrings from @t, @p or @s down to the key
    holders: tuple[str, ...] = ()  # keyrings that link to it, in the syntax of keyctl(1)
    below_user: bool = False  # whether it lies below @u
    below_user_session: bool = False  # or below @us
    place: str = ""  # another place: persistent | session | other
    place_name: str = ""  # and the keyring there
    blocker: str = ""  # what gives no search permission on the way: "keyring NAME" or "it"
    blockers: tuple[
        tuple[int, int], ...
    ] = ()  # all of these, if they may be changed: key and mask
    deep: int = 0  # the last keyring that is searched, if it is nested too deep
    dark: str = ""  # a keyring without search and read permission that may contain it
    share: str = "other"  # the class of the caller for the key: user, group or other
    bits: int = 0  # the permissions of that class
    possessor_bits: int = 0

    @property
    def good(self) -> bool:
        """Whether the key can be used, according to the kernel's answer alone."""
        return not self.error

    @property
    def named(self) -> bool:
        """Whether it was asked for by type and description."""
        return bool(self.asked.kind)

    @property
    def possessed(self) -> bool:
        """Whether request_key(2) finds it; the path may have keyrings that cannot be read."""
        return bool(self.path) or (self.good and self.named)

    def has_room(self) -> bool:
        """Whether a small key of this name would fit into the quota."""
        if self.quota is None:
            return True
        keys, most_keys, size, most_bytes = self.quota
        needed = keytypes.size(self.asked.description) + _SMALL_KEY
        return keys < most_keys and size + needed < most_bytes


_SMALL_KEY = 100  # bytes: payload, link, the ends of strings


class Finding(NamedTuple):
    """One sentence.

    code           its name, for tests and programs
    mend           the command that mends it, if there is one
    administrator  a task for the administrator
    there          a command for a process of the session that has the key
    """

    code: str
    text: str
    mend: Mend | None = None
    administrator: str = ""
    there: Mend | None = None
