"""Random keyrings, and the kernel's answers about their keys, without the helper.

A case runs in a process of its own, which begins as root and ends as the user who asks.
"""

import contextlib
import ctypes
import errno
import os
import random
import time

from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.kernel.syscalls import SESSION_KEYRING, USER_KEYRING, KernelError
from pam_pykeyinit.kernel.sysnums import ADD_KEY, KEYCTL
from pykeyinit_helper import keyctl as helper_keyctl
from pykeyinit_helper.inspect.keynames import parse

_REQUEST_KEY = ADD_KEY + 1
_READ = 11
_DESCRIBE = 6
_DEAD = (errno.EKEYREVOKED, errno.EKEYEXPIRED)
_libc = ctypes.CDLL(None, use_errno=True)

# Keyrings and keys grant everything, or lack one permission: search, read, view, the owner's.
MASKS = (
    0x3F3F0000, 0x3F030000, 0x3F010000, 0x3F3F3F3F, 0x37010000, 0x37370000, 0x3D010000, 0x35010000,
    0x3F000000, 0x01010000, 0x3F080000, 0x08080000, 0x3F110011,
)  # fmt: skip
_NO_READ_OF_ONES_OWN = ~0x00020202  # for logon: EOPNOTSUPP then means that it is possessed


def call(number: int, *arguments: object) -> int:
    """syscall(2); an errno is negative."""
    result = int(_libc.syscall(number, *arguments))
    return -ctypes.get_errno() if result < 0 else result


def tries(word: str) -> bool:
    """Whether the calling process can use the key: by its name or its number."""
    asked = parse(word)
    assert asked
    serial = asked.serial
    if asked.kind:
        serial = call(_REQUEST_KEY, asked.kind.encode(), asked.description.encode(), None, 0)
        if serial < 0:
            return False
    size = call(KEYCTL, _READ, serial, None, 0)
    if size == -errno.EOPNOTSUPP:  # a key that only the kernel reads, dead or alive
        return -call(KEYCTL, _DESCRIBE, serial, None, 0) not in _DEAD
    return size >= 0


def found(kind: str, description: str) -> int:
    """The result of request_key(2), or a negative errno."""
    return call(_REQUEST_KEY, kind.encode(), description.encode(), None, 0)


class Keyrings:
    """The keyrings of one case; `numbers` are of keys and keyrings, `words` ask for them."""

    def __init__(self, case: int, owner: int, asker: int, strangers: "list[int]") -> None:
        self.random = random.Random(case)
        self.owner = owner
        self.asker = asker
        self.strangers = strangers  # keys of another user
        self.names = [f"case{case}:{letter}" for letter in "abc"]
        self.kinds = {name: self.random.choice(("user", "user", "logon")) for name in self.names}
        self.top = SESSION_KEYRING
        self.rings: list[int] = []
        self.keys: list[int] = []
        self.words: list[str] = []
        self.depths: dict[int, int] = {}
        self.late = False

    def build(self) -> None:
        """Create them as the owner, and become the user who asks."""
        _become(self.owner, back=True)
        self._session()
        for number in range(self.random.randrange(1, 10)):
            self._ring(number)
        for name in self.names[: self.random.randrange(1, 4)]:
            for _ in range(self.random.choice((1, 1, 2))):
                self._key(name)
        for key in self.random.sample(self.strangers, 2):
            with contextlib.suppress(KernelError):
                keyctl.link(key, self._any_ring())
                self.keys.append(key)
        self._spoil()
        _become(self.asker, back=False)
        self.words = [f"{self.kinds[name]}:{name}" for name in self.names]
        numbers = [str(key) for key in self.keys + self.rings]
        self.words += self.random.sample(numbers, min(2, len(numbers)))

    def _session(self) -> None:
        how = self.random.choice(("linked", "linked", "bare", "bare", "none"))
        if self.asker != self.owner:
            how = "bare"  # a foreign session keyring; keys in @u could not be removed again
        if how == "none":
            self.top = USER_KEYRING
        else:
            syscalls.join_anonymous_session()
            if how == "linked":
                keyctl.link(USER_KEYRING, SESSION_KEYRING)
                self.top = self.random.choice((SESSION_KEYRING, SESSION_KEYRING, USER_KEYRING))

    def _any_ring(self) -> int:
        # The last one is drawn more often, for depth.  All cases share the user keyring: there
        # it would make other links of that keyring fail with ELOOP.
        deep = [ring for ring in self.rings if self.top != USER_KEYRING or self.depths[ring] < 3]
        return self.random.choice([self.top, *deep, *deep[-1:] * 4])

    def _ring(self, number: int) -> None:
        name = f"{self.names[0]}.{number}"
        with contextlib.suppress(KernelError):
            above = self._any_ring()
            ring = keyctl.add_keyring(name, above)
            self.depths[ring] = self.depths.get(above, 0) + 1
            self.rings.append(ring)

    def _key(self, name: str) -> None:
        kind, ring = self.kinds[name], self._any_ring()
        if self.random.random() < 0.1:  # request-key(8) cannot create it: a negative key
            call(_REQUEST_KEY, kind.encode(), name.encode(), b"callout", ring)
            return
        serial = call(ADD_KEY, kind.encode(), name.encode(), b"x", 1, ring)
        if serial > 0:
            self.keys.append(serial)

    def _spoil(self) -> None:
        """Share some, remove permissions, and let some expire or be revoked."""
        shared = self.keys + (self.rings if self.top == SESSION_KEYRING else [])
        for key in self.random.sample(shared, min(3, len(shared))):
            with contextlib.suppress(KernelError):
                keyctl.link(key, self._any_ring())
        for key in self.keys + self.rings:
            with contextlib.suppress(KernelError):
                if self.random.random() < 0.4:
                    mask = self.random.choice(MASKS)
                    logon = keyctl.describe(key)[0] == "logon"
                    keyctl.set_permissions(key, mask & _NO_READ_OF_ONES_OWN if logon else mask)
                elif self.random.random() < 0.15:
                    self._kill(key)
        if self.top == SESSION_KEYRING and self.random.random() < 0.2:
            self._kill(SESSION_KEYRING)
        elif self.top == SESSION_KEYRING and self.random.random() < 0.1:
            keyctl.set_permissions(SESSION_KEYRING, self.random.choice(MASKS))
        if self.late:
            time.sleep(1.1)

    def _kill(self, key: int) -> None:
        how = self.random.choice(("revoke", "expire", "invalidate"))
        if how == "revoke":
            syscalls.revoke(key)
        elif how == "invalidate":
            keyctl.invalidate(key)
        else:
            keyctl.set_timeout(key, 1)
            self.late = True

    def remove(self) -> None:
        """Remove them from @u again: other cases search it, and it would keep the keys alive."""
        if self.asker == self.owner:
            for key in helper_keyctl.links(USER_KEYRING):
                with contextlib.suppress(KernelError):
                    if self._is_of_another(key):
                        continue
                    keyctl.unlink(key, USER_KEYRING)

    def _is_of_another(self, key: int) -> bool:
        if key in self.keys + self.rings:
            return False
        return not keyctl.describe(key)[4].startswith(self.names[0][:-1])


def _become(uid: int, *, back: bool) -> None:
    if os.getuid() != 0:
        os.setresuid(0, 0, 0)
    os.setgroups([])
    saved = 0 if back else uid
    os.setresgid(uid, uid, saved)
    os.setresuid(uid, uid, saved)
