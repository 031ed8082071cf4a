"""A session in a program with a filesystem user id and group id of its own, as of a client."""

import ctypes
import grp
import pwd

import bare  # type: ignore[import-not-found]  # beside this file

libc = ctypes.CDLL(None)
CLIENT = pwd.getpwnam("bob").pw_uid, grp.getgrnam("bob").gr_gid


def found() -> tuple[int, int]:
    """The two ids; -1 changes nothing."""
    return libc.setfsuid(-1), libc.setfsgid(-1)


handle = bare.start()
libc.setfsgid(CLIENT[1])
libc.setfsuid(CLIENT[0])
assert found() == CLIENT
for call in (bare.pam.pam_open_session, bare.pam.pam_close_session, bare.pam.pam_end):
    assert call(handle, 0) == 0
    assert found() == CLIENT
print("fine")  # noqa: T201
