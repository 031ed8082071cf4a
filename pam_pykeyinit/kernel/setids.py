"""setresuid(2), setresgid(2) and setfsuid(2), for the calling thread alone.

libc's functions of these names change all threads of the process (see sysnums).
"""

import sys

from . import libc, sysnums
from .syscalls import call, checked

KEEP = -1  # this id is not changed
_IDS = 2**32


def setresuid(real: int, effective: int, saved: int) -> None:
    """setresuid(2).  Raises KernelError."""
    call("setresuid", sysnums.SETRESUID, real, effective, saved)


def setresgid(real: int, effective: int, saved: int) -> None:
    """setresgid(2).  Raises KernelError."""
    call("setresgid", sysnums.SETRESGID, real, effective, saved)


def setfsuid(uid: int) -> int:
    """setfsuid(2); the id that was in place before.

    It never fails: call it with KEEP to read the current id.
    """
    result = libc.syscall(sysnums.SETFSUID, uid)
    # On 32-bit systems an id from 2^31 on is negative, and the largest ones look like an errno.
    may_be_id = sys.maxsize < _IDS and sysnums.SETFSUID != sysnums.NO_SUCH_CALL
    return (result if may_be_id else checked("setfsuid", result)) % _IDS
