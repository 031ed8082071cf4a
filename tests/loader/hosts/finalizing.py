"""Sessions while the interpreter is ending: at exit, from a destructor, from a daemon thread."""

import atexit
import threading

import bare  # type: ignore[import-not-found]  # beside this file

handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0


class Late:
    """Ends the handle when the interpreter clears its modules."""

    def __init__(self) -> None:
        self.pam, self.handle = bare.pam, handle

    def __del__(self) -> None:
        """Whatever these return now: they return."""
        self.pam.pam_close_session(self.handle, 0)
        self.pam.pam_end(self.handle, 0)


def forever() -> None:
    """As a daemon thread, which is stopped in the middle of something."""
    while True:
        mine = bare.start()
        bare.pam.pam_open_session(mine, 0)
        bare.pam.pam_close_session(mine, 0)
        bare.pam.pam_end(mine, 0)


def at_exit() -> None:
    """Here the interpreter still works."""
    mine = bare.start()
    assert bare.pam.pam_open_session(mine, 0) == 0
    assert bare.pam.pam_end(mine, 0) == 0
    print("fine", flush=True)  # noqa: T201


atexit.register(at_exit)
late = Late()
for _ in range(4):
    threading.Thread(target=forever, daemon=True).start()
