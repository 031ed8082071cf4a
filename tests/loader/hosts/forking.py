"""os.fork() between open and close, while other threads do the same."""

import os
import threading
import warnings

import bare  # type: ignore[import-not-found]  # beside this file

# Since 3.12 Python warns of forks beside threads, which are intended here.
warnings.simplefilter("ignore", DeprecationWarning)
done = False


def forever() -> None:
    """Sessions until the end."""
    while not done:
        mine = bare.start()
        assert bare.pam.pam_open_session(mine, 0) == 0
        assert bare.pam.pam_close_session(mine, 0) == 0
        assert bare.pam.pam_end(mine, 0) == 0


handle = bare.start()
assert bare.pam.pam_open_session(handle, 0) == 0
threads = [threading.Thread(target=forever) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(100):
    child = os.fork()
    if child == 0:
        os._exit(bare.pam.pam_end(handle, 0))
    assert os.waitpid(child, 0)[1] == 0
done = True
for thread in threads:
    thread.join()
assert bare.pam.pam_close_session(handle, 0) == 0
assert bare.pam.pam_end(handle, 0) == 0
print("fine")  # noqa: T201
