"""at_once.py UID COUNT WORD...: COUNT concurrent `pykeyinit-helper run WORD...` of a uid.

Each prints the serial number of its session keyring, and stays until all have done so.  A
process that has created a keyring waits before and after it can be found, until the others are
just as far, or for a moment.  So a second keyring is created whenever that is possible at all.
"""

# ruff: noqa: T201  # it prints
import contextlib
import multiprocessing
import os
import sys
import threading

from pam_pykeyinit.kernel import keyctl
from pam_pykeyinit.policies import lock, naming
from pykeyinit_helper.run import run

BEFOREHAND = (keyctl, lock, naming)  # or their import would separate the processes
PATIENCE = 0.4  # seconds; less than the timeout of the lock
TELL = 'keyctl show @s | sed -n "2s/^ *\\([0-9]*\\).*/\\1/p"; read until_all_have'

set_permissions = keyctl.set_permissions
forks = multiprocessing.get_context("fork")


def main(uid: int, count: int, words: list[str]) -> None:
    """Start all of them at the same time."""
    begin, as_far = forks.Barrier(count), forks.Barrier(count)

    def wait() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            as_far.wait(PATIENCE)

    def hesitant(key: int, mask: int) -> None:
        wait()
        set_permissions(key, mask)
        wait()

    keyctl.set_permissions = hesitant
    stay, answers = os.pipe(), os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            os.dup2(stay[0], 0)
            os.dup2(answers[1], 1)
            os.close(stay[1])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            begin.wait(30)
            os._exit(run.main([*words, "--", "sh", "-c", TELL]))
    os.close(answers[1])
    with os.fdopen(answers[0]) as lines:
        for _ in range(count):
            print(int(lines.readline()))
    os.close(stay[1])
    for _ in range(count):
        os.wait()


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
