"""How fast `pykeyinit-helper run` starts its program: ratios, interleaved in one run.

    build-aux/world.sh /usr/bin/python3 tests/bench/helper.py [ROUNDS]

The bound is 2.5 times `/usr/bin/python3 -I -S -c pass`, each as a whole process.  `show`
of 10,000 keys must take less than a second.  Exit status 1 if a bound is exceeded.
"""

import os
import statistics
import subprocess
import sys
import time

HELPER = "/usr/local/bin/pykeyinit-helper"
BARE = "python3 -I -S -c pass"
COMMANDS = {
    BARE: ["/usr/bin/python3", "-I", "-S", "-c", "pass"],
    "true": ["/bin/true"],
    "keyctl session - true": ["/usr/bin/keyctl", "session", "-", "/bin/true"],
    "setpriv --reuid 61001 true": ["/usr/bin/setpriv", "--reuid=61001", "--regid=61051",
                                   "--clear-groups", "/bin/true"],
    "run true": [HELPER, "run", "/bin/true"],
    "run --session=new true": [HELPER, "run", "--session=new", "/bin/true"],
    "run --user=alice true": [HELPER, "run", "--user=alice", "/bin/true"],
    "run --revoke-on-exit true": [HELPER, "run", "--revoke-on-exit", "/bin/true"],
}  # fmt: skip
BOUND = 2.5
BOUNDED = ("run true", "run --session=new true", "run --user=alice true")
FILL = "for n in $(seq 10000); do echo add user key$n x @s; done >/dev/null;"


def once(command: "list[str]") -> float:
    """The duration of one process in milliseconds, from start to end."""
    begin = time.perf_counter()
    process = os.posix_spawn(
        command[0], command, os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                      (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)],
    )  # fmt: skip
    status = os.waitpid(process, 0)[1]
    if status:
        sys.exit(f"{command}: status {status}")
    return (time.perf_counter() - begin) * 1000


def show_of_many(count: int) -> float:
    """The duration in seconds of `show` for a keyring with this many keys, start included."""
    fill = (
        "import keyutils, os, sys\n"
        "keyutils.join_session_keyring()\n"
        f"for n in range({count}): keyutils.add_key(b'k%d' % n, b'x', -3)\n"
        f"os.execv({HELPER!r}, [{HELPER!r}, 'show', '@s'])\n"
    )
    timed = ["/usr/bin/python3", "-I", "-c", fill.replace("os.execv", "import time; "
             "print(time.time(), file=sys.stderr, flush=True); os.execv")]  # fmt: skip
    done = subprocess.run(timed, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") > count
    return time.time() - float(done.stderr.split()[0])


def main() -> int:
    """Print the table; return the exit status."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(once(command))
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"whole processes, medians of {rounds}, interleaved")
    print(f"{'':28} {'to bare python':>15} {'to keyctl session':>18}")
    for name, value in median.items():
        to_keyctl = value / median["keyctl session - true"]
        print(f"{name:28} {value / median[BARE]:15.2f} {to_keyctl:18.2f}")
    missed = [name for name in BOUNDED if median[name] > BOUND * median[BARE]]
    seconds = show_of_many(10_000)
    print(
        f"show of 10,000 keys: {'within' if seconds < 1 else 'MORE THAN'} a second ({seconds:.2f})"
    )
    for name in missed:
        print(f"MISSED: {name} takes more than {BOUND} times {BARE}")
    return 1 if missed or seconds >= 1 else 0


sys.exit(main())
