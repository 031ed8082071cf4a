"""Read many keys, with one buffer for all of them."""

import ctypes
import struct

from pam_pykeyinit.kernel import libc, sysnums
from pam_pykeyinit.kernel.syscalls import KernelError

_READ = 11  # keyctl(2)
_ENOUGH = 65536


class Reader:
    """keyctl_read(3)."""

    def __init__(self) -> None:
        self._space = ctypes.create_string_buffer(_ENOUGH)

    def read(self, key: int) -> bytes:
        """The content of a key; raises KernelError."""
        while True:
            space = self._space
            size = libc.syscall(sysnums.KEYCTL, _READ, key, space, len(space))  # type: ignore[arg-type]
            if size < 0:
                raise KernelError(-size, "keyctl(READ)")
            if size <= len(space):
                return ctypes.string_at(space, size)
            self._space = ctypes.create_string_buffer(2 * size)

    def links(self, keyring: int) -> list[int]:
        """The serial numbers of a keyring's links; raises KernelError."""
        return [serial for (serial,) in struct.iter_unpack("i", self.read(keyring))]
