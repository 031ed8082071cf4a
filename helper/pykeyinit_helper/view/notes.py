"""The kernel's notifications of keys: watch_queue(7) and keyctl_watch_key(3), Linux 5.8."""

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from pam_pykeyinit.kernel import sysnums
from pam_pykeyinit.kernel.syscalls import call

# linux/watch_queue.h, keyctl.h
_O_NOTIFICATION_PIPE = os.O_EXCL
_WATCH_KEY = 32
_NOTES = 512  # the maximum of the kernel
_META, _KEY = 0, 1
_REMOVAL, _LOSS = 0, 1
_LENGTH = 0x7F

SUBTYPES = (
    "instantiated",
    "updated",
    "linked",
    "unlinked",
    "cleared",
    "revoked",
    "invalidated",
    "changed",
)
GONE, LOST = "gone", "lost"


def set_size(architecture: str) -> int:
    """IOC_WATCH_QUEUE_SET_SIZE: on powerpc, requests that move no data have a bit for it."""
    return 0x20005760 if architecture.startswith("powerpc") else 0x5760


class Note(NamedTuple):
    """An event of a key; `other` is the key that was linked or unlinked, or 0."""

    event: str
    serial: int
    other: int = 0


def parse(data: bytes, order: str = sys.byteorder) -> Iterator[Note]:
    """Parse the data of a notification pipe.  Pure; unknown records are skipped."""
    sign = "<" if order == "little" else ">"
    while len(data) >= 8:
        head, info = struct.unpack_from(f"{sign}II", data)
        # A field of 24 bits and one of 8: their order depends on the byte order.
        kind, subtype = (head & 0xFFFFFF, head >> 24) if sign == "<" else (head >> 8, head & 0xFF)
        record, data = data[: info & _LENGTH], data[max(8, info & _LENGTH) :]
        if kind == _META and subtype == _LOSS:
            yield Note(LOST, 0)
        elif kind == _META and subtype == _REMOVAL and len(record) >= 16:
            yield Note(GONE, struct.unpack_from(f"{sign}Q", record, 8)[0])
        elif kind == _KEY and subtype < len(SUBTYPES) and len(record) >= 16:
            event = SUBTYPES[subtype]
            serial, other = struct.unpack_from(f"{sign}II", record, 8)
            yield Note(event, serial, other if event in ("linked", "unlinked") else 0)


class Pipe:
    """A pipe for notifications of the kernel."""

    def __init__(self) -> None:
        """Raises OSError: ENOPKG if the kernel does not support it, EINVAL if it is older."""
        self.reading, self._writing = os.pipe2(_O_NOTIFICATION_PIPE | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self.reading, set_size(sysnums.ARCHITECTURE), _NOTES)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close it, which ends all watches."""
        os.close(self.reading)
        os.close(self._writing)

    def watch(self, key: int) -> None:
        """Watch a key; raises KernelError."""
        call("keyctl(WATCH_KEY)", sysnums.KEYCTL, _WATCH_KEY, key, self.reading, 0)

    def leave(self, key: int) -> None:
        """Stop watching a key; raises KernelError."""
        call("keyctl(WATCH_KEY)", sysnums.KEYCTL, _WATCH_KEY, key, self.reading, -1)

    def notes(self) -> list[Note]:
        """The notifications since the last call; waits if there are none."""
        return list(parse(os.read(self.reading, 65536)))
