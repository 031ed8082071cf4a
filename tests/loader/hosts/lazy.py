"""A forked child first imports the modules of the options, while threads of the parent import."""

import os
import signal
import threading
import warnings

import bare  # type: ignore[import-not-found]  # beside this file

warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
ESTABLISH = 2
bare.pam.pam_setcred.argtypes = bare.pam.pam_open_session.argtypes


def with_options() -> int:
    """A session with the auth line, which has options."""
    mine = bare.start()
    code: int = bare.pam.pam_setcred(mine, ESTABLISH)
    return code or bare.pam.pam_end(mine, 0)


signal.alarm(40)
handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0


def in_child() -> None:
    """The same in a forked child."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a deadlock must end
        os._exit(with_options())
    assert os.waitpid(child, 0)[1] == 0


in_child()
threads = [threading.Thread(target=with_options) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(20):
    in_child()
for thread in threads:
    thread.join()
print("fine")  # noqa: T201
