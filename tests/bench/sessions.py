"""`pykeyinit-helper sessions` of 10,000 session keyrings of 1,000 users, each with a tag and @u.

    build-aux/world.sh /usr/bin/python3 tests/bench/sessions.py [ROUNDS]

Its peer is what root can run instead: `setpriv --reuid UID cat /proc/keys` for each user, here
for some of them.  Exit status 1 if `sessions` takes longer.
"""

# ruff: noqa: T201  # it prints
import os
import resource
import subprocess
import sys
import time

from pam_pykeyinit.kernel import keyctl, syscalls

HELPER = "/usr/local/bin/pykeyinit-helper"
FIRST = int(os.environ.get("WORLD_UIDS", "61001"))
USERS, EACH, PEERS = 1000, 10, 20
TAG = b"service=sshd tty=ssh rhost=192.0.2.7 time=2026-11-29T08:00:00Z pid=4711"


def hold(ready: int, until: int) -> None:
    """Create the keyrings, and keep them until told to end; a mapping holds each of them."""
    for uid in range(FIRST, FIRST + USERS):
        syscalls.setresgid(uid, 0, 0)
        syscalls.setresuid(uid, 0, 0)
        for _ in range(EACH):
            syscalls.join_anonymous_session()
            syscalls.link(syscalls.USER_KEYRING, syscalls.SESSION_KEYRING)
            syscalls.setfsuid(uid)
            tag = keyctl.add_user_key("pam_pykeyinit", TAG, syscalls.SESSION_KEYRING)
            syscalls.set_permissions(tag, 0x0B030000)
            syscalls.setfsuid(0)
            syscalls.keep_credentials()
        syscalls.setresuid(0, 0, 0)
        syscalls.setresgid(0, 0, 0)
    os.write(ready, b"\n")
    os.read(until, 1)
    for uid in range(FIRST, FIRST + USERS):
        forget(uid)
    os._exit(0)


def forget(uid: int) -> None:
    """Let the kernel collect the user keyrings, which would otherwise stay until the next boot."""
    syscalls.setresuid(uid, uid, 0)
    kinds = (syscalls.USER_KEYRING, syscalls.USER_SESSION_KEYRING)
    for serial in [syscalls.get_keyring_id(kind) for kind in kinds]:
        syscalls.invalidate(serial)
    syscalls.setresuid(0, 0, 0)


def timed(*command: str) -> "tuple[float, float, str]":
    """Elapsed seconds, processor seconds, and the output."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    passed = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return passed, worked, done.stdout


def main() -> int:
    """Print the figures; return the exit status."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    is_made, ready = os.pipe()
    until, end = os.pipe()
    child = os.fork()
    if child == 0:
        hold(ready, until)
    os.read(is_made, 1)
    ours, peers = [], []
    for at in range(min(rounds, 10)):
        passed, worked, output = timed(HELPER, "sessions", "--json")
        assert output.count('"service": "sshd"') >= USERS * EACH
        ours.append((passed, worked))
        uids = range(FIRST + at * PEERS, FIRST + (at + 1) * PEERS)
        become = [("setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups") for uid in uids]
        times = [timed(*words, "cat", "/proc/keys")[:2] for words in become]
        peers.append(tuple(sum(column) * USERS / PEERS for column in zip(*times, strict=True)))
    os.write(end, b"\n")
    os.waitpid(child, 0)
    print(f"sessions of {USERS * EACH:,} session keyrings of {USERS:,} users")
    print(f"{'':32} {'clock, best':>12} {'processors, best':>17}")
    table = {"sessions --json": min(ours), "setpriv cat /proc/keys, each user": min(peers)}
    for name, (passed, _) in table.items():
        rows = ours if name.startswith("sessions") else peers
        print(f"{name:34} {passed:10.2f} s {min(row[1] for row in rows):15.2f} s")
    ratio = min(ours)[0] / min(peers)[0]
    print(f"{ratio:.2f} of the peer")
    return 1 if ratio > 1 else 0


sys.exit(main())
