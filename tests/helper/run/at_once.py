"""at_once.py UID COUNT WORD...: so many `pykeyinit-helper run WORD...` of a uid, at once.

Each prints the serial number of its session keyring, and stays until all have.  Who has made
a keyring waits, before it can be found and after, for the others to be just as far; where
they do not come, for a moment.  So more than one is made whenever that is possible at all.
"""

# ruff: noqa: T201  # it prints
import contextlib
import multiprocessing
import os
import sys
import threading

from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.policies import lock, naming
from pykeyinit_helper.run import run

BEFOREHAND = (keyctl, lock, naming)  # or the imports would set them apart
PATIENCE = 0.4  # seconds; less than that of who waits for a turn
TELL = 'keyctl show @s | sed -n "2s/^ *\\([0-9]*\\).*/\\1/p"; read until_all_have'

set_permissions = syscalls.set_permissions
forks = multiprocessing.get_context("fork")


def main(uid: int, count: int, words: list[str]) -> None:
    """Have them all begin at once."""
    begin, as_far = forks.Barrier(count), forks.Barrier(count)

    def wait() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            as_far.wait(PATIENCE)

    def hesitant(key: int, mask: int) -> None:
        wait()
        set_permissions(key, mask)
        wait()

    syscalls.set_permissions = hesitant
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
