"""The keyrings of this process, read through keyutils.

This changes nothing that outlives this process: if there is no session keyring, the kernel
installs the user-session keyring in this process alone.
"""

import errno
import os
import struct
from collections import deque
from collections.abc import Iterable

from keyutils import Error, describe_key, read_key

from pam_pykeyinit.kernel import listing, procfs, syscalls
from pam_pykeyinit.kernel.keyctl import fields
from pam_pykeyinit.policies import tag
from pykeyinit_helper import keyctl
from pykeyinit_helper.inspect import permissions
from pykeyinit_helper.inspect.permissions import SEARCH, Who

# In the order of request_key(2), then those that are searched only if linked.
ANCHORS = {
    "@t": (keyctl.SPECIAL["@t"], "thread"),
    "@p": (keyctl.SPECIAL["@p"], "process"),
    "@s": (keyctl.SPECIAL["@s"], "session"),
    "@u": (keyctl.SPECIAL["@u"], "user"),
    "@us": (keyctl.SPECIAL["@us"], "user-session"),
}
SEARCHED = ("@t", "@p", "@s")

_EXPIRES = {"perm": "never", "expd": "expired"}  # listing.Row's words, and ours
MOST_KEYRINGS = 7  # on the way to a key: KEYRING_SEARCH_MAX_DEPTH, 6, below the first one


class Key:
    """One key as this process sees it.  `error` is the name of the errno if it is not visible."""

    __slots__ = (
        "description",
        "error",
        "expires",
        "gid",
        "kind",
        "links",
        "mask",
        "serial",
        "tag",
        "uid",
    )

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.kind = self.description = self.error = ""
        self.uid = self.gid = -1
        self.mask = 0
        self.links: list[int] = []
        self.tag = ""  # the tag of a login (policies/tag.py)
        self.expires: str | None = None  # "never", "expired", the kernel's "5m"; None: unknown

    def bits(self, who: Who, *, possessed: bool) -> int:
        """The permissions of a process."""
        _, bits = permissions.share(self.mask, self.uid, self.gid, who)
        return bits | (permissions.possessors(self.mask) if possessed else 0)


def _links(keyring: int) -> list[int]:
    """The keys in a keyring, which may be readable but not viewable."""
    try:
        return keyctl.links(keyring)
    except syscalls.KernelError:
        return []


class Tree:
    """All keyrings of the process.

    anchors    the serial number behind "@s" and the like, or the name of an errno
    keys       every key that was found, by its serial number
    paths      how request_key(2) gets to a key: serial numbers from an anchor's to its own.
               A key is possessed if and only if there is such a path.
    rows       the rows of /proc/keys
    """

    def __init__(self) -> None:
        self.who = Who(os.geteuid(), frozenset((os.getegid(), *os.getgroups())))
        self.anchors: dict[str, int | str] = {}
        self.keys: dict[int, Key] = {}
        self.paths: dict[int, tuple[int, ...]] = {}
        self.rows = listing.rows(procfs.text("/proc/keys"))
        for name, (special, _) in ANCHORS.items():
            try:
                self.anchors[name] = syscalls.get_keyring_id(special)
            except syscalls.KernelError as error:
                self.anchors[name] = errno.errorcode.get(error.errno or 0, str(error.errno))

    def read(self, names: Iterable[str] = ANCHORS) -> "Tree":
        """Walk the keyrings behind these anchors; return self."""
        for name in names:
            serial = self.anchors[name]
            if isinstance(serial, int):
                self.walk(serial)
        for name in SEARCHED:
            serial = self.anchors[name]
            if isinstance(serial, int):
                self._possess(serial)
        return self

    def walk(self, serial: int) -> None:
        """Read a key and all keys below it."""
        waiting = [serial]
        while waiting:
            number = waiting.pop()
            if number not in self.keys:
                self.keys[number] = key = self._read(number)
                waiting += key.links

    def below(self, roots: Iterable[int]) -> set[int]:
        """The serial numbers of these keys and of all keys below them."""
        found: set[int] = set()
        waiting = list(roots)
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += self.keys[number].links
        return found

    def is_stand_in(self) -> bool:
        """Whether the user-session keyring stands in for a session keyring."""
        return self.anchors["@s"] == self.anchors["@us"]

    def _read(self, serial: int) -> Key:
        key = Key(serial)
        row = self.rows.get(serial)
        key.expires = _EXPIRES.get(row.expires, row.expires) if row else None
        try:
            reported = describe_key(serial).rstrip(b"\0")
            key.kind, key.uid, key.gid, key.mask, key.description = fields(reported)
            if key.kind == "keyring":
                content = read_key(serial)
                key.links = list(struct.unpack(f"{len(content) // 4}i", content))
            elif (key.kind, key.description) == ("user", tag.NAME):
                key.tag = read_key(serial).decode("utf-8", "replace")
        except Error as error:
            key.error = errno.errorcode.get(error.args[0], str(error.args[0]))
            if not key.kind and serial in self.anchors.values():
                key.links = _links(serial)
        return key

    def _possess(self, anchor: int) -> None:
        """Find the shortest path to all keys below it, as the kernel searches."""
        seen = {anchor}
        waiting: deque[tuple[int, ...]] = deque([(anchor,)])
        while waiting:
            path = waiting.popleft()
            key = self.keys.get(path[-1])
            # The kernel returns an anchor's serial number only with search permission.
            if key is None or not (key.serial == anchor or self._may_search(key)):
                continue
            self.paths.setdefault(key.serial, path)
            if len(path) <= MOST_KEYRINGS:
                fresh = [link for link in key.links if link not in seen]
                seen.update(fresh)
                waiting += [(*path, link) for link in fresh]

    def _may_search(self, key: Key) -> bool:
        """Whether the kernel finds it on this path.  Then it is possessed."""
        gone = key.error in ("EKEYREVOKED", "ENOKEY")
        return not gone and bool(key.bits(self.who, possessed=True) & SEARCH)
