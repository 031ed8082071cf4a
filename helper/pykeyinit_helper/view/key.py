"""A row of /proc/keys, taken apart.  Pure."""

import re

from pam_pykeyinit.kernel import listing
from pykeyinit_helper.inspect.permissions import READ
from pykeyinit_helper.view import ring

_SUMMARY = re.compile(r"(.*): (?:empty|(\d+)(?: \[\w+\])?)")
_USER_KEYRING = re.compile(r"_uid\.\d+")  # in a user namespace it has the number from within
_NO_GROUP = "65534"  # what the kernel shows for none

_LINK_BYTES = 4  # KEYQUOTA_LINK_BYTES in the kernel
_BIG_KEY_BYTES = 16  # big_key.c counts so many, whatever it holds


class Key:
    """`number` is how many links, or bytes, it has; None where the kernel does not tell."""

    __slots__ = ("name", "number", "row")

    def __init__(self, row: listing.Row) -> None:
        found = _SUMMARY.fullmatch(row.text)
        self.row = row
        self.name = found[1] if found else row.text
        self.number = int(found[2] or 0) if found else None

    @property
    def is_keyring(self) -> bool:
        """Whether other keys can be in it."""
        return self.row.kind == "keyring"

    @property
    def is_owners_to_read(self) -> bool:
        """Whether its permissions say so."""
        try:
            return bool(int(self.row.mask, 16) >> 16 & READ)
        except ValueError:
            return False  # a line that somebody made up

    @property
    def is_user_keyring(self) -> bool:
        """Whether it is @u, of this user namespace or another one."""
        named = self.is_keyring and _USER_KEYRING.fullmatch(self.name)
        return bool(named) and self.row.group == _NO_GROUP

    @property
    def state(self) -> str:
        """One of ring's words."""
        if "R" in self.row.flags:
            return ring.REVOKED
        if "i" in self.row.flags:
            return ring.INVALIDATED
        if self.row.expires == "expd":
            return ring.EXPIRED
        return ring.LIVE if self.row.expires == "perm" else ring.EXPIRING

    @property
    def bytes(self) -> int | None:
        """What it takes of the quota, or None."""
        if "Q" not in self.row.flags:
            return 0
        payload = self.number
        if self.row.kind == "keyring" and payload is not None:
            payload *= _LINK_BYTES
        elif self.row.kind == "big_key":
            payload = _BIG_KEY_BYTES
        elif self.row.kind not in ("user", "logon"):
            payload = None
        if payload is None:
            return None
        return len(self.name.encode("utf-8", "surrogateescape")) + 1 + payload
