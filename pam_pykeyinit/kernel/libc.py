"""Functions of libc, called from Python.

pam_pykeyinit.so does not run this file: it has the same functions in C.

This uses `_ctypes` of the interpreter without the `ctypes` package.  The package builds about
forty types that are not needed, which takes a tenth of the start of the interpreter in every
login.  For the same reason, functions that an ordinary login does not call are looked up when
they are called.
"""

import _ctypes
import posix
import sys
from _ctypes import dlopen, dlsym, get_errno  # type: ignore[attr-defined]  # typeshed's gap
from posix import getpid, strerror

from . import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "effective_ids",
    "getpid",
    "getpwnam",
    "later",
    "map_page",
    "may_set_ids",
    "process_marks",
    "set_process_marks",
    "single_threaded",
    "strerror",
    "syscall",
    "syslog",
    "unmap_page",
]

_CDECL = 1
_SAVE_ERRNO = 8
_PROT_NONE = 0
_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG, _PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 1, 2, 3, 4
_CAP_SETGID, _CAP_SETUID = 6, 7
_MAP_SHARED_ANONYMOUS = 0x21

_libc = dlopen(None, 0)


def _function(symbol: str, result: str, arguments: str) -> "Any":
    """A function of libc, with the types of its result and arguments.

    i is an int, l a long, z bytes.  Only the fixed arguments of a variadic function are declared:
    on some architectures the variable ones are passed differently.
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
    """syscall(2), with up to five arguments; an errno is negative, as the kernel returns it.

    The kernel may write into a bytearray.
    """
    passed = [_space(each) if type(each) is bytearray else each for each in arguments]
    return _result(_syscall(number, *passed))


def later(results: "list[int]", *calls: "tuple[int | None, ...]") -> "Callable[[], None]":
    """Return a function that makes these calls of syscall(), up to the first that is refused.

    It appends their results to the list.
    """

    def make() -> None:
        for number, *arguments in calls:
            results.append(syscall(number, *arguments))  # type: ignore[arg-type]
            if results[-1] < 0:
                break

    return make


def _result(value: int) -> int:
    return -get_errno() if value == -1 else value


def _space(buffer: bytearray) -> "Any":
    char = type("c", (_ctypes._SimpleCData,), {"_type_": "c"})
    array = type("s", (_ctypes.Array,), {"_type_": char, "_length_": len(buffer)})
    return array.from_buffer(buffer)  # type: ignore[attr-defined]


def syslog(priority: int, line: bytes) -> None:
    """syslog(3); the line is not a format."""
    _function("syslog", "i", "iz")(priority, b"%s", line)


def map_page() -> int:
    """Map a page without permissions.  Returns its address as a long, or the negative errno."""
    mmap = _function("mmap", "l", "lliiil")  # an address is as long as a long
    return _result(mmap(0, 1, _PROT_NONE, _MAP_SHARED_ANONYMOUS, -1, 0))


def unmap_page(address: int) -> int:
    """Unmap it.  Returns 0, or the negative errno."""
    return _result(_function("munmap", "i", "ll")(address, 1))


def single_threaded() -> bool:
    """Whether this process has one thread; without /proc the answer is yes."""
    try:
        return posix.stat("/proc/self/task").st_nlink <= 3  # ".", "..", and one for each thread
    except OSError:
        return True


def effective_ids() -> "tuple[int, int]":
    """The effective user and group id."""
    return posix.geteuid(), posix.getegid()


def getpwnam(name: bytes) -> "tuple[int, int] | None":
    """The user and group id of a user, getpwnam(3), or None for an unknown user.

    Raises OSError if the user database cannot be read, and ValueError for a name with a zero
    byte.
    """
    from pwd import getpwnam as look_up

    # The pwd module encodes this to the same bytes again, also in a C locale.
    text = name.decode(sys.getfilesystemencoding(), "surrogateescape")
    try:
        entry = look_up(text)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def may_set_ids() -> bool:
    """Whether this thread has the capabilities to set any user and group id."""
    for line in procfs.text("/proc/thread-self/status").splitlines():
        if line.startswith("CapEff:"):
            capabilities = int(line.split()[1], 16)
            return all(capabilities >> each & 1 for each in (_CAP_SETGID, _CAP_SETUID))
    return posix.geteuid() == 0  # no /proc


def process_marks() -> "tuple[int, int]":
    """The parent-death signal, and whether the process is dumpable, prctl(2).

    The kernel resets both if a filesystem id changes (commit_creds).
    """
    prctl = _function("prctl", "i", "i")
    signal = bytearray(4)
    prctl(_PR_GET_PDEATHSIG, _space(signal))
    return int.from_bytes(signal, sys.byteorder), prctl(_PR_GET_DUMPABLE)


def set_process_marks(signal: int, dumpable: int) -> None:
    """Restore them."""
    prctl = _function("prctl", "i", "i")
    prctl(_PR_SET_PDEATHSIG, signal)
    if dumpable < 2 and prctl(_PR_GET_DUMPABLE) != dumpable:  # 2 cannot be set
        prctl(_PR_SET_DUMPABLE, dumpable)
