"""Functions of libc, called from Python.

The interpreter's `_ctypes` is used without the `ctypes` package around it: the package
builds some forty types that nobody here needs, and that alone would cost every login a
tenth of the time that its interpreter takes to start.
"""

import _ctypes
from _ctypes import dlopen, dlsym  # type: ignore[attr-defined]  # typeshed has them not
from _ctypes import get_errno as errno  # libc's errno as the last call here left it

__all__ = ["errno", "syscall_add_key", "syscall_numbers", "syslog"]

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


_libc = dlopen(None, 0)
syscall_numbers = _Numbers(dlsym(_libc, "syscall"))
syscall_add_key = _AddKey(dlsym(_libc, "syscall"))
syslog = _Syslog(dlsym(_libc, "syslog"))
