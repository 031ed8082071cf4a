"""No id stays switched, and switching changes nothing else of the process.

While the user's ids are in force, the user can send signals to the program.
"""

import subprocess
from pathlib import Path

import pytest
from loader.test_hosts import Host

from support import mounts, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

OURS = "pam_pykeyinit.so"
OPTIONS = [
    "force revoke",
    "force revoke tag",
    "force revoke name=%u-ids",
    "force revoke=10m link=user,user-session,persistent",
    "force revoke=cred refresh quota_warn=1 tag name=%u-all link=persistent",
    "revoke foreign=replace on_error=degrade minimum_uid=1",
]
SETS_AND_LOOKS = """
import ctypes, os, sys
sys.path.insert(0, sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
GET_DUMPABLE, SET_DUMPABLE, SET_PDEATHSIG, GET_PDEATHSIG = 3, 4, 1, 2
def look():
    signal = ctypes.c_int(-1)
    assert libc.prctl(GET_PDEATHSIG, ctypes.byref(signal), 0, 0, 0) == 0
    return signal.value, libc.prctl(GET_DUMPABLE, 0, 0, 0, 0)
assert libc.prctl(SET_PDEATHSIG, 15, 0, 0, 0) == 0
assert libc.prctl(SET_DUMPABLE, 1, 0, 0, 0) == 0
import bare
handle = bare.start()
seen = [look()]
for call, flags in (("setcred", 2), ("open_session", 0), ("setcred", 16), ("close_session", 0),
                    ("setcred", 4), ("end", 0)):
    getattr(bare.pam, "pam_" + call)(handle, flags)
    seen.append(look())
print(seen)
"""


@pytest.mark.parametrize("options", OPTIONS[:3])
def test_the_users_own_signals(options: str, driver: Driver, journal: Journal) -> None:
    """They arrive during open and close, at a Python program with a handler."""
    host = Host(driver)
    printed = host(OURS, "/usr/bin/python3", "interrupted.py", "4000", options=options)

    assert printed.split()[-1] == "fine"
    assert [line for line in journal.ours() if line.level == "ALERT"] == []


@pytest.mark.parametrize("options", OPTIONS)
def test_signal_of_a_parents_death_and_dumpable(options: str, driver: Driver) -> None:
    """setfsuid(2) and seteuid(2) clear both, also when the id is restored."""
    seen = []
    for module in (OURS, world.ORACLE):
        words = options if module == OURS else "force revoke"
        stack = "".join(f"{kind} optional {module} {words}\n" for kind in ("auth", "session"))
        services = driver.services(pykeyinit=stack + "session required pam_permit.so")
        folder = str(Path(__file__).parent / "hosts")
        command = ["/usr/bin/python3", "-c", SETS_AND_LOOKS, folder]
        program = mounts.wrapper(driver.scratch / "look", {"/etc/pam.d": services}, *command)
        run = subprocess.run(
            [program],
            env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        seen.append(run.stdout.strip())
    ours, theirs = seen
    assert ours == str([(15, 1)] * 7)
    assert theirs.endswith("(0, 0)]")  # by seteuid(2), when it revokes


def _three_ids(module: str, which: str, driver: Driver) -> tuple[int, list[int], list[int], str]:
    """A program with three different ids, unprivileged: code, ids before and after, session."""
    bob, carol, dave = (world.uid(name) for name in ("bob", "carol", "dave"))
    groups = [world.gid(name) for name in ("bob", "carol", "dave")]
    uids = [bob, carol, dave] if which == "users" else [bob] * 3
    numbers = " ".join(map(str, [*uids, *groups]))
    services = driver.services(s=f"session required {module} force")
    outcome = driver.run(services, f"ids {numbers}\nstart 0 s carol\nopen 0\nend 0\n")
    start, opened, *_ = outcome.steps
    return opened.code, start.ids, opened.ids, str(opened.session.get("description"))


@pytest.mark.parametrize("which", ["users", "groups"])
def test_three_ids_without_the_right_to_set_them(
    which: str, driver: Driver, journal: Journal
) -> None:
    """A switch that could not be undone is refused; pam_keyinit leaves the ids switched."""
    code, before, after, _ = _three_ids(OURS, which, driver)

    assert after == before
    assert code == 14
    (line,) = journal.ours()
    assert line.level != "ALERT"
    _, before, after, _ = _three_ids(world.ORACLE, which, driver)
    assert after != before
