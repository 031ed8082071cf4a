"""Functions of libc, called from Python.

Under pam_pykeyinit.so this file is not run: that loader has the same functions in C.

The interpreter's `_ctypes` is used without the `ctypes` package around it: the package
builds some forty types that nobody here needs, and that alone would cost every login a
tenth of the time that its interpreter takes to start.
"""

import _ctypes
from _ctypes import dlopen, dlsym  # type: ignore[attr-defined]  # typeshed has them not
from _ctypes import get_errno as errno  # libc's errno as the last call here left it

__all__ = [
    "errno",
    "map_page",
    "single_threaded",
    "syscall_add_key",
    "syscall_numbers",
    "syslog",
    "unmap_page",
]

_CDECL = 1
_SAVE_ERRNO = 8


class _Int(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "i"


class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


class _Bytes(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "z"


class _Numbers(_ctypes.CFuncPtr):
    """syscall(2) with four numbers after the call's own, enough for keyctl(2) and set*id(2)."""

    _flags_ = _CDECL | _SAVE_ERRNO
    _restype_ = _Long
    _argtypes_ = (_Long, _Long, _Long, _Long, _Long)


class _AddKey(_ctypes.CFuncPtr):
    """syscall(2) as add_key(2): type, description, payload, its length, keyring."""

    _flags_ = _CDECL | _SAVE_ERRNO
    _restype_ = _Long
    _argtypes_ = (_Long, _Bytes, _Bytes, _Bytes, _Long, _Long)


class _Syslog(_ctypes.CFuncPtr):
    """syslog(3).  Only its fixed arguments are declared, so that what follows them is
    passed as a variable argument: on some processors that is not the same thing."""

    _flags_ = _CDECL
    _restype_ = None
    _argtypes_ = (_Int, _Bytes)


class _Mmap(_ctypes.CFuncPtr):
    """mmap(2): address, length, protection, flags, descriptor, offset."""

    _flags_ = _CDECL | _SAVE_ERRNO
    _restype_ = _Long  # an address is as long
    _argtypes_ = (_Long, _Long, _Int, _Int, _Int, _Long)


class _Munmap(_ctypes.CFuncPtr):
    """munmap(2): address, length."""

    _flags_ = _CDECL | _SAVE_ERRNO
    _restype_ = _Int
    _argtypes_ = (_Long, _Long)


class _Char(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "b"


_PROT_NONE = 0
_MAP_SHARED_ANONYMOUS = 0x21

_libc = dlopen(None, 0)
syscall_numbers = _Numbers(dlsym(_libc, "syscall"))
syscall_add_key = _AddKey(dlsym(_libc, "syscall"))
syslog = _Syslog(dlsym(_libc, "syslog"))
_mmap = _Mmap(dlsym(_libc, "mmap"))
_munmap = _Munmap(dlsym(_libc, "munmap"))


def map_page() -> int:
    """Map a page that nobody can use; its address, or -1."""
    address: int = _mmap(0, 1, _PROT_NONE, _MAP_SHARED_ANONYMOUS, -1, 0)
    return address


def unmap_page(address: int) -> int:
    """Take it away; 0, or -1."""
    result: int = _munmap(address, 1)
    return result


def single_threaded() -> int:
    """Whether the process has never had a second thread, as far as libc knows."""
    try:
        flag = dlsym(_libc, "__libc_single_threaded")
    except OSError:  # an older libc, or another one
        return 0
    number: int = _Char.from_address(flag).value
    return number
