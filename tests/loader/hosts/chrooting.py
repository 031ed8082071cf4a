"""A program that has had a session, and then changes its root folder: sessions in there.

The module is not in there: without a copy in memory, libpam does not find it.
"""

import os
import sys

import bare  # type: ignore[import-not-found]  # beside this file


def session() -> list[int]:
    """The codes of open and close."""
    handle = bare.start()
    calls = bare.pam.pam_open_session, bare.pam.pam_close_session
    codes = [call(handle, 0) for call in calls]
    assert bare.pam.pam_end(handle, 0) == 0
    return codes


before = session()
os.chroot(sys.argv[1])
print(*before, *session())  # noqa: T201
