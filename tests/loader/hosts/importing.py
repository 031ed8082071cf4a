"""importing.py threads|forks: what comes while a thread imports the modules of the options.

The first import of them takes half a second here (test_forks.py).  A lock that is never released
ends the process.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import bare  # type: ignore[import-not-found]  # beside this file

warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
ESTABLISH = 2
bare.pam.pam_setcred.argtypes = bare.pam.pam_open_session.argtypes


def with_options() -> None:
    """A session with the auth line, which has options."""
    mine = bare.start()
    assert bare.pam.pam_setcred(mine, ESTABLISH) == 0
    assert bare.pam.pam_end(mine, 0) == 0


def in_child(work: Callable[[], None]) -> None:
    """Work in a forked child, in a new thread of it."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        with ThreadPoolExecutor() as mine:
            os._exit(mine.submit(work).exception() is not None)
    assert os.waitpid(child, 0)[1] == 0


def with_options_and_a_child() -> None:
    """Both."""
    with_options()
    in_child(with_options)


signal.alarm(20)
handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0
with ThreadPoolExecutor() as threads:
    importing = threads.submit(with_options)
    time.sleep(0.2)
    assert not importing.done()
    if sys.argv[1] == "threads":
        works = [threads.submit(with_options) for _ in range(3)]
    else:
        in_child(with_options_and_a_child)
        works = [threads.submit(in_child, with_options)]
    for each in (importing, *works):
        each.result()
print("fine")  # noqa: T201
