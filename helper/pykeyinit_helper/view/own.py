"""The session keyrings of a user, as that user sees them.  No call here creates a keyring.

Therefore @u is recognized by its name and by its missing group: get_keyring_id would create it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from pam_pykeyinit.kernel import listing, procfs
from pam_pykeyinit.kernel.syscalls import KernelError
from pam_pykeyinit.policies import tag
from pykeyinit_helper import keyctl
from pykeyinit_helper.view import ring, users
from pykeyinit_helper.view.key import Key
from pykeyinit_helper.view.reader import Reader
from pykeyinit_helper.view.ring import Seen, Session

_OF_THE_KERNEL = ("_tid", "_pid", "_uid.", "_uid_ses.", "_persistent.", "_req.", ".")
_STANDING = ("_uid.", "_uid_ses.", "_persistent.")  # they exist without a session

_HELPERS = "pykeyinit-helper"


class Own:
    """The keys that a user owns, and the links of the keyrings."""

    def __init__(self, keys: Mapping[int, Key], links: Mapping[int, list[int] | None]) -> None:
        self.keys = keys
        self.links = links
        self.holders = Counter(link for linked in links.values() for link in linked or ())

    def sessions(self) -> Iterator[int]:
        """The serial numbers of session keyrings; a named one is recognized by its properties.

        It is in no keyring, and the kernel creates it with read permission for the owner, unlike
        add_key(2).
        """
        for serial, key in self.keys.items():
            if not key.is_keyring or key.name.startswith(_OF_THE_KERNEL):
                continue
            if key.name == "_ses" or (key.is_owners_to_read and not self.holders[serial]):
                yield serial

    def leads_to_user_keyring(self, session: int) -> bool | None:
        """Whether @u is below it; None if a keyring below it is unreadable."""
        below, dark = self._below(session)
        if any(self.keys[serial].is_user_keyring for serial in below):
            return True
        return None if dark else False

    def _below(self, session: int) -> tuple[set[int], bool]:
        found: set[int] = set()
        dark, waiting = False, [session]
        while waiting:
            serial = waiting.pop()
            linked = self.links.get(serial, [])
            dark = dark or linked is None or serial not in self.keys
            if serial in self.keys and serial not in found:
                found.add(serial)
                waiting += linked or ()
        return found, dark

    def takes(self, session: int) -> tuple[int, int, bool]:
        """Its charge to the quota in keys and bytes, with the keys that are in no other keyring.

        And whether this is complete: a keyring that the owner may not read can contain more.
        """
        held: Counter[int] = Counter()
        keys, size, waiting = 0, 0, [session]
        whole = True
        while waiting:
            serial = waiting.pop()
            key, linked = self.keys[serial], self.links.get(serial, [])
            keys += "Q" in key.row.flags
            size += key.bytes or 0
            whole = whole and key.bytes is not None and linked is not None
            for link in linked or ():
                held[link] += 1
                inside = self.keys.get(link)
                if (
                    inside is not None
                    and held[link] == self.holders[link]
                    and not (inside.is_keyring and inside.name.startswith(_STANDING))
                ):
                    waiting.append(link)
        return keys, size, whole


def look(uid: int, counted: int) -> Seen:
    """The session keyrings of this process's user, who had this many keys just before."""
    rows = listing.rows(procfs.text("/proc/keys"))
    mine = {serial: Key(row) for serial, row in rows.items() if _owner(row) == uid}
    keys = {serial: key for serial, key in mine.items() if key.row.usage != "0"}
    reader = Reader()
    links = {serial: _links(reader, serial, key) for serial, key in keys.items() if key.is_keyring}
    own = Own(keys, links)
    sessions = [_session(own, reader, serial) for serial in own.sessions()]
    hidden = counted - len(mine)
    if hidden > 0:  # or a session has ended in the meantime
        hidden = min(counted, users.keys_of(uid)) - len(mine)
    return Seen(sessions, max(0, hidden))


def _owner(row: listing.Row) -> int:
    try:
        return int(row.owner) % 2**32  # the kernel prints it as a signed number
    except ValueError:
        return -1  # a forged line


def _links(reader: Reader, serial: int, key: Key) -> list[int] | None:
    if key.number == 0 or key.state not in (ring.LIVE, ring.EXPIRING):
        return []
    try:
        return reader.links(serial)
    except KernelError:
        return None


def _session(own: Own, reader: Reader, serial: int) -> Session:
    key = own.keys[serial]
    linked = own.links[serial]
    by, text = _tag(own, reader, linked or ())
    expires = {"perm": "never", "expd": "expired"}.get(key.row.expires, key.row.expires)
    return Session(
        serial, key.name if key.name == "_ses" else _name(serial, key), key.state, expires,
        len(linked) if linked is not None else key.number or 0,
        own.leads_to_user_keyring(serial), own.takes(serial), text, by,
    )  # fmt: skip


def _name(serial: int, key: Key) -> str:
    """The whole name: /proc/keys has only the part before a newline."""
    try:
        return keyctl.describe(serial)[4]
    except KernelError:  # it is dead
        return key.name


def _tag(own: Own, reader: Reader, linked: "list[int] | tuple[()]") -> tuple[str, str]:
    """The origin and the text of a tag; the module's is preferred."""
    left = ("", "")
    for link in linked:
        key = own.keys.get(link)
        if key is None or key.row.kind != "user":
            continue
        if key.name == tag.NAME:
            try:
                payload = reader.read(link)
            except KernelError:
                continue
            return tag.NAME, payload.decode("utf-8", "replace")
        if key.name.startswith(f"{_HELPERS}:"):
            left = _HELPERS, key.name.partition(":")[2]
    return left
