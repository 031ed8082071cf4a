"""Parse a row of /proc/keys.  Pure."""

import re

from pam_pykeyinit.kernel import listing
from pykeyinit_helper.inspect.permissions import READ
from pykeyinit_helper.view import ring

_SUMMARY = re.compile(r"(.*): (?:empty|(\d+)(?: \[\w+\])?)")
_USER_KEYRING = re.compile(r"_uid\.\d+")  # in a user namespace, the mapped number
_NO_GROUP = "65534"  # the kernel shows this for no group

_LINK_BYTES = 4  # KEYQUOTA_LINK_BYTES in the kernel
_BIG_KEY_BYTES = 16  # big_key.c charges this for any content


class Key:
    """`number` is the number of its links, or bytes; None if the kernel does not print it."""

    __slots__ = ("name", "number", "row")

    def __init__(self, row: listing.Row) -> None:
        found = _SUMMARY.fullmatch(row.text)
        self.row = row
        self.name = found[1] if found else row.text
        self.number = int(found[2] or 0) if found else None

    @property
    def is_keyring(self) -> bool:
        """Whether it can contain other keys."""
        return self.row.kind == "keyring"

    @property
    def is_owners_to_read(self) -> bool:
        """Whether its permissions allow it."""
        try:
            return bool(int(self.row.mask, 16) >> 16 & READ)
        except ValueError:
            return False  # a forged line

    @property
    def is_user_keyring(self) -> bool:
        """Whether it is @u, of this user namespace or another one."""
        named = self.is_keyring and _USER_KEYRING.fullmatch(self.name)
        return bool(named) and self.row.group == _NO_GROUP

    @property
    def state(self) -> str:
        """One of the states in ring.py."""
        if "R" in self.row.flags:
            return ring.REVOKED
        if "i" in self.row.flags:
            return ring.INVALIDATED
        if self.row.expires == "expd":
            return ring.EXPIRED
        return ring.LIVE if self.row.expires == "perm" else ring.EXPIRING

    @property
    def bytes(self) -> int | None:
        """Its charge to the quota in bytes, or None."""
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
