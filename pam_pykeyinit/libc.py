"""Functions of libc, called from Python.

Under pam_pykeyinit.so this file is not run: that loader has the same functions in C.

The interpreter's `_ctypes` is used without the `ctypes` package around it: the package
builds some forty types that nobody here needs, and that alone would cost every login a
tenth of the time that its interpreter takes to start.  For the same reason a function that
an ordinary login does not call is made when it is called.
"""

import _ctypes
import posix
from _ctypes import dlopen, dlsym, get_errno  # type: ignore[attr-defined]  # typeshed's gap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["map_page", "single_threaded", "syscall", "syslog", "unmap_page"]

_CDECL = 1
_SAVE_ERRNO = 8
_PROT_NONE = 0
_MAP_SHARED_ANONYMOUS = 0x21

_libc = dlopen(None, 0)


def _function(symbol: str, result: str, arguments: str) -> "Any":
    """A function of libc, by the types of its result and arguments.

    i is an int, l a long, z bytes.  Of a variadic function only the fixed arguments are
    declared: on some processors the variable ones are not passed in the same way.
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


_syscall = _function("syscall", "l", "l")


def syscall(number: int, *arguments: "int | bytes | bytearray | None") -> int:
    """syscall(2), with up to five arguments; an errno is negative, as the kernel gives it.

    The kernel may write into a bytearray.
    """
    passed = [_space(each) if type(each) is bytearray else each for each in arguments]
    return _result(_syscall(number, *passed))


def _result(value: int) -> int:
    return -get_errno() if value == -1 else value


def _space(buffer: bytearray) -> "Any":
    char = type("c", (_ctypes._SimpleCData,), {"_type_": "c"})
    array = type("s", (_ctypes.Array,), {"_type_": char, "_length_": len(buffer)})
    return array.from_buffer(buffer)  # type: ignore[attr-defined]


def syslog(priority: int, line: bytes) -> None:
    """syslog(3), with nothing in the line taken as a format."""
    _function("syslog", "i", "iz")(priority, b"%s", line)


def map_page() -> int:
    """Map a page that nobody can use; its address, or the errno, negative."""
    mmap = _function("mmap", "l", "lliiil")  # an address is as long as a long
    return _result(mmap(0, 1, _PROT_NONE, _MAP_SHARED_ANONYMOUS, -1, 0))


def unmap_page(address: int) -> int:
    """Take it away; 0, or the errno, negative."""
    return _result(_function("munmap", "i", "ll")(address, 1))


def single_threaded() -> bool:
    """Whether this process has one thread; without /proc to tell it is taken to have one."""
    try:
        return posix.stat("/proc/self/task").st_nlink <= 3  # ".", "..", and one for each thread
    except OSError:
        return True
