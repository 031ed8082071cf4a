"""Sessions while the interpreter is finalized: at exit, and from a destructor."""

import atexit
import os

import bare  # type: ignore[import-not-found]  # beside this file

handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0


class Late:
    """Closes the session when the interpreter clears its modules, this one among the first."""

    def __init__(self) -> None:
        self.pam, self.handle, self.write = bare.pam, handle, os.write

    def __del__(self) -> None:
        """Works with what remains of the program's interpreter."""
        codes = [self.pam.pam_close_session(self.handle, 0), self.pam.pam_end(self.handle, 0)]
        self.write(1, b"fine\n" if codes == [0, 0] else b"refused\n")


def at_exit() -> None:
    """Here the interpreter still works."""
    mine = bare.start()
    assert bare.pam.pam_open_session(mine, 0) == 0
    assert bare.pam.pam_end(mine, 0) == 0


atexit.register(at_exit)
late = Late()
