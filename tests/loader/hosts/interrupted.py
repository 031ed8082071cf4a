"""Sessions in a program whose main thread handles SIGINT, while their user sends the signal.

Prints the number of signals during the switched ids, and "fine".
"""

import contextlib
import os
import pwd
import subprocess
import sys

import bare  # type: ignore[import-not-found]  # beside this file

ROUNDS = int(sys.argv[1])
SENDER = """
import os, sys
sent = 0
pid = int(sys.argv[1])
sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    try:
        os.kill(pid, 2)
        sent += 1
    except PermissionError:
        pass
    except ProcessLookupError:
        sys.exit(sent > 0)
"""
alice = pwd.getpwnam("alice")
senders = [
    subprocess.Popen(
        ["/usr/bin/python3", "-I", "-c", SENDER, str(os.getpid())],
        user=alice.pw_uid,
        group=alice.pw_gid,
        extra_groups=[],
        stdout=subprocess.PIPE,
    )
    for _ in range(2)  # restoring must be interrupted twice
]
for sender in senders:
    assert sender.stdout
    sender.stdout.readline()
IDS = (0, 0, 0)
done = interrupted = 0


def work() -> None:
    """The rest of the rounds; a signal that was sent in time can arrive anywhere in them."""
    global done
    while True:
        found = os.getresuid(), os.getresgid()
        if found != (IDS, IDS):
            for sender in senders:
                sender.kill()
            sys.exit(f"the ids stayed switched: {found}")
        if done == ROUNDS:
            return
        done += 1
        handle = bare.start()
        bare.pam.pam_open_session(handle, 0)
        bare.pam.pam_close_session(handle, 0)
        bare.pam.pam_end(handle, 0)


while True:
    try:
        work()
        break
    except KeyboardInterrupt:
        interrupted += 1
while True:
    with contextlib.suppress(KeyboardInterrupt):
        for sender in senders:
            sender.kill()
            sender.wait()
        break
print(interrupted)  # noqa: T201
print("fine")  # noqa: T201
