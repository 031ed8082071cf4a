"""Programs with threads: each handle has its own keyring, whichever thread closes it."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from support import world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

USERS = ("alice", "bob", "carol", "dave")
LINE = "pam_pykeyinit.so force revoke"
STACK = f"auth required {LINE}\nsession required {LINE}"


@pytest.mark.parametrize("threads", [1, 4, 16])
def test_sessions_of_different_users_in_threads(
    threads: int, driver: Driver, journal: Journal, request: pytest.FixtureRequest
) -> None:
    """Codes, owners, that each keyring is new and in the end revoked, and the ids of all."""
    # As many sessions whatever the number of threads: the watcher needs some time.
    cycles = (1000 if request.config.getoption("--long") else 100) * 16 // threads
    run = subprocess.run(
        [
            driver.program.parent / "many",
            driver.services(s=STACK),
            "s",
            str(threads),
            str(cycles),
            *USERS,
        ],
        env={"LOOK": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert int(run.stdout.split()[3]) > 50, "the watcher has not watched"
    assert journal.ours() == []


def test_the_first_sessions_of_a_process_are_in_two_threads(driver: Driver) -> None:
    """Python is started once, by one of them, and the other waits."""
    services = driver.services(s=STACK)
    for _ in range(25):
        run = subprocess.run(
            [driver.program.parent / "many", services, "s", "2", "3", *USERS],
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            timeout=20,
        )
        assert (run.returncode, run.stderr) == (0, b"")


def _keys_of_root() -> int:
    for line in Path("/proc/key-users").read_text().splitlines():
        if line.split(":")[0].strip() == "0":
            return int(line.split()[3].split("/")[0])
    return 0


@pytest.mark.parametrize("how", ["other", "ended", "forks"])
def test_a_session_is_closed_elsewhere(how: str, driver: Driver, journal: Journal) -> None:
    run = subprocess.run(
        [driver.program.parent / "across", how, driver.services(s=STACK), "s", "alice"],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert [repr(line) for line in journal.ours()] == []


@pytest.mark.parametrize("order", ["01", "10"])
def test_two_users_overlap(order: str, driver: Driver, loader: str) -> None:
    services = driver.services(s=f"session required {loader} force revoke")
    closes = "".join(f"close {handle}\n" for handle in order)
    steps = driver.run(
        services, f"start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\n{closes}end 0\nend 1\n"
    ).steps
    mine = [steps[1].session["serial"], steps[3].session["serial"]]

    assert [steps[1].fields[1], steps[3].fields[1]] == [world.uid("alice"), world.uid("bob")]
    first, second = (mine[int(handle)] for handle in order)
    assert steps[4].keyrings[first] == "EKEYREVOKED"
    assert steps[4].keyrings[second] == "live"
    assert steps[5].keyrings[second] == "EKEYREVOKED"


def test_a_child_that_ends_the_handle_revokes_nothing(driver: Driver) -> None:
    """As sshd and su do: a second setcred in the child, pam_end as the user; then close."""
    services = driver.services(s=STACK)
    steps = driver.run(
        services, "start 0 s alice\nestablish 0\nopen 0\nforkend 0 alice\nclose 0\nend 0\n"
    ).steps
    serial = steps[1].session["serial"]

    assert [step.code for step in steps] == [0, 0, 0, 0, 0, 0]
    assert steps[2].session["serial"] == serial
    assert steps[3].keyrings[serial] == "live"
    assert steps[4].keyrings[serial] == "EKEYREVOKED"


@pytest.mark.whole_machine
def test_nothing_is_left_behind(driver: Driver) -> None:
    """The hold of a session that another thread closed is removed with it."""
    before = _keys_of_root()
    for how in ("other", "ended"):
        subprocess.run(
            [driver.program.parent / "across", how, driver.services(s=STACK), "s", "alice"],
            check=True,
            env=os.environ,
        )
    deadline = time.monotonic() + 20  # the kernel frees quota when it collects the keys
    while _keys_of_root() > before + 4 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _keys_of_root() <= before + 4


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (1, 2)])
def test_a_child_of_another_thread_than_the_first_ends_the_handle(
    first: int, second: int, driver: Driver
) -> None:
    """Python was started in one thread, which does not exist in a child of another thread."""
    services = driver.services(s=STACK)
    steps = driver.run(
        services,
        f"thread {second}\nthread {first}\nstart 0 s alice\nopen 0\n"
        f"thread {second}\nforkend 0 alice\nforkend 0 alice\n"
        f"thread {first}\nforkend 0 alice\nclose 0\nend 0\n",
    ).steps
    serial = steps[1].session["serial"]

    assert [(step.call, step.code) for step in steps[2:5]] == [("forkend", 0)] * 3
    assert steps[4].keyrings[serial] == "live"
    assert steps[5].keyrings[serial] == "EKEYREVOKED"
