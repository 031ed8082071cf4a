"""A signal at a system call of open and close: nothing is left, and the next login works."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from fault.outside import places
from fault.outside.places import OF_A_SESSION, Place

from support import keyusers, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

LOGIN = "start 0 s alice\nopen 0\nclose 0\n"
SPARSE = 20


def _chosen(driver: Driver, request: pytest.FixtureRequest, sparse: int) -> list[Place]:
    """The calls that set up a session, and a sample of the others; all in the long form."""
    every = places.enumerate_all(driver)
    if request.config.getoption("--long"):
        return every
    return [
        place
        for number, place in enumerate(every)
        if place.plain in OF_A_SESSION or (sparse and number % sparse == 0)
    ]


def _start(driver: Driver, services: Path, place: Place, name: str) -> "subprocess.Popen[bytes]":
    options = ["--output=/dev/null", f"--trace={place.call}", place.inject(f"signal={name}")]
    process = subprocess.Popen(
        [places.traced(driver, *options).program, services],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert process.stdin
    process.stdin.write(places.SCRIPT.encode())
    process.stdin.close()
    process.stdin = None
    return process


@pytest.mark.whole_machine
@pytest.mark.parametrize("name", ["KILL", "TERM"])
def test_a_process_that_is_ended(
    name: str,
    driver: Driver,
    journal: Journal,
    request: pytest.FixtureRequest,
    tally: dict[str, int],
) -> None:
    """Wherever it ends, its keyrings disappear with it, and the next process has its session."""
    chosen = _chosen(driver, request, SPARSE if name == "KILL" else 0)
    services = places.stack(driver)
    assert driver.run(services, LOGIN).codes() == [0, 0]
    users = world.uid("alice"), 0
    before = [keyusers.count(uid) for uid in users]
    for place in chosen:
        process = _start(driver, services, place, name)
        process.communicate(timeout=60)
        number = getattr(signal, f"SIG{name}")
        assert process.returncode in (-number, 128 + number), place
        assert driver.run(services, LOGIN).codes() == [0, 0], place
        tally["processes ended"] = tally.get("processes ended", 0) + 1
        journal.read()
    for uid, most in zip(users, before, strict=True):
        assert keyusers.settle(uid, most + 1) <= most + 1, "keyrings are left behind"


def test_a_process_that_is_stopped(
    driver: Driver, journal: Journal, request: pytest.FixtureRequest, tally: dict[str, int]
) -> None:
    """Others log in meanwhile; afterwards it continues normally."""
    services = places.stack(driver)
    for place in _chosen(driver, request, 0):
        process = _start(driver, services, place, "STOP")
        _wait_until_stopped(process)
        assert driver.run(services, LOGIN).codes() == [0, 0], place
        assert process.poll() is None, "it was not stopped"
        assert _continued(process).count(b'"code":0') == places.CALLS, place
        assert process.returncode == 0
        assert [line for line in journal.ours() if "BEGIN" not in line.text] == []
        tally["processes stopped"] = tally.get("processes stopped", 0) + 1


def _wait_until_stopped(process: "subprocess.Popen[bytes]") -> None:
    """A traced process stops at each call; after a stop signal it stays stopped."""
    still = 0
    while still < 20:
        assert process.poll() is None, "it was not stopped"
        still = still + 1 if _state(process) in ("t", "T") else 0
        time.sleep(0.005)


def _state(process: "subprocess.Popen[bytes]") -> str:
    try:
        return Path(f"/proc/{places.alone(process)}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, ValueError):  # strace has not started it yet
        return ""


def _continued(process: "subprocess.Popen[bytes]") -> bytes:
    while True:
        with contextlib.suppress(ValueError, ProcessLookupError):  # it may have just ended
            os.kill(places.alone(process), signal.SIGCONT)
        try:
            return process.communicate(timeout=0.2)[0]
        except subprocess.TimeoutExpired:
            continue
