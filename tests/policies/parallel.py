"""parallel.py COUNT USER OPTION...: COUNT concurrent logins of a user.

Each is a process of its own that waits for a common signal, opens a session, reports the serial
number of its session keyring, and stays until all have done so.  Prints the numbers.  There is
a pause between the creation of a named keyring and the change that makes it searchable, so that
a second keyring is created whenever that is possible at all.
"""

# ruff: noqa: T201  # it prints
import os
import struct
import sys
import time

from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.module import Handle
from pam_pykeyinit.policies import lock, naming, plan, words
from support.pamh import Pamh

BEFOREHAND = (keyctl, lock, naming, plan, words)  # or their import would separate the processes
set_permissions = keyctl.set_permissions


def hesitant(key: int, mask: int) -> None:
    """The system call, after a delay."""
    time.sleep(0.02)
    set_permissions(key, mask)


def login(go: int, answers: int, stay: int, user: str, options: list[str]) -> None:
    """One login, in a process that ends with it."""
    os.read(go, 1)
    code = Handle().pam_sm_open_session(Pamh(user), 0, ["pam_pykeyinit", *options])
    serial = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
    os.write(answers, struct.pack("ii", code, serial))
    os.read(stay, 1)
    os._exit(0)


def main(count: int, user: str, options: list[str]) -> None:
    """Start all of them at the same time."""
    keyctl.set_permissions = hesitant
    # A login waits for a second, and on an emulated machine a hundred logins take longer.
    lock._PATIENCE = float(os.environ["PAMDRIVE_PATIENCE"])
    go, answers, stay = os.pipe(), os.pipe(), os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            os.close(go[1])
            os.close(stay[1])
            login(go[0], answers[1], stay[0], user, options)
    os.close(go[1])
    os.close(answers[1])
    with os.fdopen(answers[0], "rb") as pipe:
        for _ in range(count):
            print(*struct.unpack("ii", pipe.read(8)))
    os.close(stay[1])
    for _ in range(count):
        os.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
