"""Thousands of concurrent sessions: each has its own keyring, and no other's."""

import os
import subprocess
from collections.abc import Iterator

import keyutils
import pytest

from support import quotas, world
from support.child import in_child
from support.drive import Driver
from support.journal import Journal, Line

pytestmark = [pytest.mark.privileged, pytest.mark.whole_machine]

USER_KEYRING = -4


def _crowd(
    driver: Driver, journal: Journal, processes: int, sessions: int, *users: str
) -> tuple[int, int, list[Line]]:
    """The number of opened and of refused sessions, and the log lines meanwhile.

    The driver itself checks each keyring after each open and each close.
    """
    services = driver.services(s="session required pam_pykeyinit.so force revoke")
    crowd = driver.program.parent / "crowd"
    lines = []
    with subprocess.Popen(
        [crowd, services, "s", str(processes), str(sessions), *users],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    ) as run:
        while True:
            try:
                output, errors = run.communicate(timeout=0.02)
                break
            except subprocess.TimeoutExpired:
                lines += journal.ours()  # otherwise its senders block
    lines += journal.ours()
    assert (run.returncode, errors) == (0, "")
    words = output.split()
    return int(words[1]), int(words[3]), lines


def test_sessions_of_one_process_are_closed_in_any_order(
    driver: Driver, journal: Journal, request: pytest.FixtureRequest, tally: dict[str, int]
) -> None:
    sessions = 10_000 if request.config.getoption("--long") else 1000
    opened, refused, lines = _crowd(driver, journal, 1, sessions, "alice", "bob", "carol")
    assert (opened, refused, lines) == (sessions, 0, [])
    tally["sessions at once in one process"] = sessions


def _fill(left: int) -> None:
    """As dave, add keys until less than `left` bytes of quota are left."""
    os.setresgid(*[world.gid("dave")] * 3)
    os.setresuid(*[world.uid("dave")] * 3)
    size, number = 32_000, 0
    while size >= left:
        number += 1
        try:
            keyutils.add_key(f"fill{number}".encode(), b"x" * size, USER_KEYRING)
        except keyutils.Error:
            size //= 2


@pytest.fixture
def _nearly_used_up() -> Iterator[None]:
    """Dave's quota, with room for some hundreds of keyrings."""
    in_child(lambda: _fill(20_000))
    yield
    quotas.empty("dave")


@pytest.mark.usefixtures("_nearly_used_up")
def test_a_crowd_near_the_quota(driver: Driver, journal: Journal, tally: dict[str, int]) -> None:
    """Some sessions are refused, one line each; none is in a wrong keyring, and none crashes.

    Every opened session is revoked: this must not need quota that the user has used up.
    """
    opened, refused, lines = _crowd(driver, journal, 200, 50, "dave")

    assert opened + refused == 200 * 50
    assert opened > 200
    assert refused > 200
    assert {line.level for line in lines} == {"ERR"}
    assert all("EDQUOT" in line.text for line in lines)
    assert len(lines) == refused
    tally["sessions at once near the quota"] = opened
    tally["sessions refused by the quota"] = refused
