"""Functions of libc, called from Python.

Under pam_pykeyinit.so this file is not run: that loader has the same functions in C.

The interpreter's `_ctypes` is used without the `ctypes` package around it: the package
builds some forty types that nobody here needs, and that alone would cost every login a
tenth of the time that its interpreter takes to start.  For the same reason a function that
an ordinary login does not call is made when it is called.
"""

import _ctypes
import posix
from _ctypes import dlopen, dlsym  # type: ignore[attr-defined]  # typeshed has them not
from _ctypes import get_errno as errno  # libc's errno as the last call here left it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["errno", "function", "map_page", "single_threaded", "syscall_numbers", "unmap_page"]

_CDECL = 1
_SAVE_ERRNO = 8
_PROT_NONE = 0
_MAP_SHARED_ANONYMOUS = 0x21

# What function() takes, by the name here.
# Of syslog(3) only the fixed arguments are declared, so that what follows them is passed
# as a variable argument: on some processors that is not the same thing.
_RARE = {
    "syscall_add_key": ("syscall", "l", "lzzzll"),
    "syslog": ("syslog", "i", "iz"),
}


_libc = dlopen(None, 0)


def function(symbol: str, result: str, arguments: str) -> "Any":
    """A function of libc, by the types of its result and arguments.

    i is an int, l a long, z bytes, P the address of a buffer.
    """
    simple = {
        kind: type(kind, (_ctypes._SimpleCData,), {"_type_": kind}) for kind in result + arguments
    }
    members = {
        "_flags_": _CDECL | _SAVE_ERRNO,
        "_restype_": simple[result],
        "_argtypes_": tuple(simple[kind] for kind in arguments),
    }
    return type(symbol, (_ctypes.CFuncPtr,), members)(dlsym(_libc, symbol))


# syscall(2) with four numbers after the call's own, enough for keyctl(2) and set*id(2).
syscall_numbers = function("syscall", "l", "lllll")


def __getattr__(name: str) -> "Any":
    """Make one of the functions of _RARE, the first time that it is asked for (PEP 562)."""
    if name not in _RARE:
        raise AttributeError(name)
    made = globals()[name] = function(*_RARE[name])
    return made


def map_page() -> int:
    """Map a page that nobody can use; its address, or -1."""
    mmap = function("mmap", "l", "lliiil")  # an address is as long as a long
    address: int = mmap(0, 1, _PROT_NONE, _MAP_SHARED_ANONYMOUS, -1, 0)
    return address


def unmap_page(address: int) -> int:
    """Take it away; 0, or -1."""
    result: int = function("munmap", "i", "ll")(address, 1)
    return result


def single_threaded() -> bool:
    """Whether this process has one thread; without /proc to tell it is taken to have one."""
    try:
        return posix.stat("/proc/self/task").st_nlink <= 3  # ".", "..", and one for each thread
    except OSError:
        return True
