"""`pykeyinit-helper sessions` of 10,000 session keyrings of 1,000 users, each with @u in it.

Once without and once with a tag in each: twice as many keys, and each has to be read.

    build-aux/world.sh tests/bench/run.sh

Its peer is what root can run instead: `setpriv --reuid UID cat /proc/keys` for each user, here
for some of them.  Exit status 1 if `sessions` takes longer, or without tags more than two seconds.
"""

# ruff: noqa: T201  # it prints
import os
import resource
import subprocess
import sys
import time

from bench.loader import goal

from pam_pykeyinit.kernel import keyctl, setids, syscalls

HELPER = "/usr/local/bin/pykeyinit-helper"
FIRST = int(os.environ.get("WORLD_UIDS", "61001"))
USERS, EACH, PEERS = 1000, 10, 20
GOAL = 2.0  # seconds
TAG = b"service=sshd tty=ssh rhost=192.0.2.7 time=2026-11-29T08:00:00Z pid=4711"


def hold(ready: int, until: int, *, tagged: bool) -> None:
    """Create the keyrings, and keep them until told to end; a mapping holds each of them."""
    for uid in range(FIRST, FIRST + USERS):
        setids.setresgid(uid, 0, 0)
        setids.setresuid(uid, 0, 0)
        for _ in range(EACH):
            syscalls.join_anonymous_session()
            keyctl.link(syscalls.USER_KEYRING, syscalls.SESSION_KEYRING)
            if tagged:
                setids.setfsuid(uid)
                tag = keyctl.add_user_key("pam_pykeyinit", TAG, syscalls.SESSION_KEYRING)
                keyctl.set_permissions(tag, 0x0B030000)
                setids.setfsuid(0)
            keyctl.keep_credentials()
        setids.setresuid(0, 0, 0)
        setids.setresgid(0, 0, 0)
    os.write(ready, b"\n")
    os.read(until, 1)
    for uid in range(FIRST, FIRST + USERS):
        forget(uid)
    os._exit(0)


def forget(uid: int) -> None:
    """Let the kernel collect the user keyrings, which would otherwise stay until the next boot."""
    setids.setresuid(uid, uid, 0)
    kinds = (syscalls.USER_KEYRING, syscalls.USER_SESSION_KEYRING)
    for serial in [syscalls.get_keyring_id(kind) for kind in kinds]:
        keyctl.invalidate(serial)
    setids.setresuid(0, 0, 0)


def timed(*command: str) -> "tuple[float, float, str]":
    """Elapsed seconds, processor seconds, and the output."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    passed = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return passed, worked, done.stdout


def measure(rounds: int, *, tagged: bool) -> bool:
    """Print the figures; return whether the goals are met."""
    is_made, ready = os.pipe()
    until, end = os.pipe()
    child = os.fork()
    if child == 0:
        hold(ready, until, tagged=tagged)
    os.read(is_made, 1)
    ours, peers = [], []
    for at in range(min(rounds, 10)):
        passed, worked, output = timed(HELPER, "sessions", "--json")
        assert output.count('"serial"') >= USERS * EACH
        assert (output.count('"service": "sshd"') >= USERS * EACH) == tagged
        ours.append((passed, worked))
        uids = range(FIRST + at * PEERS, FIRST + (at + 1) * PEERS)
        become = [("setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups") for uid in uids]
        times = [timed(*words, "cat", "/proc/keys")[:2] for words in become]
        peers.append(tuple(sum(column) * USERS / PEERS for column in zip(*times, strict=True)))
    os.write(end, b"\n")
    os.waitpid(child, 0)
    with_tags = ", each with a tag" if tagged else ""
    print(f"sessions of {USERS * EACH:,} session keyrings of {USERS:,} users{with_tags}")
    print(f"{'':32} {'clock, best':>12} {'processors, best':>17}")
    for name, rows in (("sessions --json", ours), ("setpriv cat /proc/keys, each user", peers)):
        print(f"{name:34} {min(rows)[0]:10.2f} s {min(row[1] for row in rows):15.2f} s")
    ratio = min(ours)[0] / min(peers)[0]
    print(f"{ratio:.2f} of the peer")
    if not tagged:
        goal("sessions of all, without tags", min(ours)[0], GOAL, " s")
    return ratio <= 1 and (tagged or min(ours)[0] <= GOAL)


def main() -> int:
    """Measure both; return the exit status."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    met = [measure(rounds, tagged=tagged) for tagged in (False, True)]
    return 0 if all(met) else 1


sys.exit(main())
