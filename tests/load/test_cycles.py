"""A daemon that opens and closes sessions for years does not grow."""

import pytest

from load.cycles import run
from support import keyusers, mounts, world
from support.drive import Driver
from support.journal import Journal
from support.pamloop import Pamloop
from support.workshop import workshop

pytestmark = pytest.mark.privileged

CYCLES, LONG = 20_000, 1_000_000
SLICES = 10
PAGES = 256  # kB: late allocations of a loop, not one for each session

# Appended to module.py.
CYCLE = """
_make = Handle.pam_sm_open_session
def _waste(*arguments):
    cycle = [bytearray(1 << 12)]
    cycle.append(cycle)
    return _make(*arguments)
Handle.pam_sm_open_session = _waste
"""


@pytest.mark.whole_machine
def test_memory_and_descriptors_are_flat(
    driver: Driver, journal: Journal, request: pytest.FixtureRequest, tally: dict[str, int]
) -> None:
    cycles = LONG if request.config.getoption("--long") else CYCLES
    services = driver.services(s="session required pam_pykeyinit.so force revoke")
    users = world.uid("alice"), 0
    with Pamloop(driver.program.parent / "pamloop", services, "s", "alice", "loop") as loop:
        warm = run(loop, 1000)
        before = [keyusers.count(uid) for uid in users]
        slices = [run(loop, cycles // SLICES) for _ in range(SLICES)]

    assert [(each.mappings, each.descriptors) for each in slices] == [
        (warm.mappings, warm.descriptors)
    ] * SLICES
    assert max(each.resident for each in slices) - warm.resident <= PAGES, slices
    for uid, most in zip(users, before, strict=True):
        assert keyusers.settle(uid, most + 5) <= most + 5, "keyrings are left behind"
    assert journal.ours() == []
    tally["sessions in one process"] = cycles
    tally["kB that it grew by"] = slices[-1].resident - warm.resident
    tally["sessions a second, first tenth"] = slices[0].rate
    tally["sessions a second, last tenth"] = slices[-1].rate


@pytest.mark.parametrize("options", ["force revoke", ""], ids=["opened", "refused"])
def test_a_thousand_sessions_leave_nothing(options: str, driver: Driver) -> None:
    """Also of those that the kernel refuses."""
    line = f"session optional pam_pykeyinit.so {options}\nsession required pam_permit.so"
    services = driver.services(s=line)
    # Without `force` it looks at the keyring in place: EKEYREVOKED.
    inner = f'keyctl revoke @s; exec {driver.program.parent}/pamloop "$@"'
    program = driver.scratch / "revoked"
    program.write_text(f"#!/bin/sh\nexec keyctl session - sh -c '{inner}' sh \"$@\" 2>/dev/null\n")
    program.chmod(0o755)
    with Pamloop(program, services, "s", "alice", "loop") as loop:
        warm = run(loop, 1000)
        assert run(loop, 1000).resident - warm.resident <= PAGES


def test_what_only_the_collector_frees_does_not_grow(driver: Driver) -> None:
    """It is off until a first handle ends.  Here each session leaves a cycle of 4 kB, and Python
    collects after some thousand.
    """
    source = (world.ROOT / "pam_pykeyinit/module.py").read_text()
    built = workshop().build({"module.py": source + CYCLE})
    command = str(driver.program.parent / "pamloop")
    program = mounts.wrapper(driver.scratch / "wasteful", built, command)
    services = driver.services(s="session required pam_pykeyinit.so force revoke")
    with Pamloop(program, services, "s", "alice", "loop") as loop:
        warm = run(loop, 2000)
        assert run(loop, 20_000).resident - warm.resident <= 20_000 * 4 // 4


@pytest.mark.whole_machine
def test_what_leaks_is_seen(driver: Driver) -> None:
    """pam_python starts an interpreter for each handle, and leaks memory with each."""
    services = driver.services(s="session required pam_python.so pam_pykeyinit.py force revoke")
    with Pamloop(driver.program.parent / "pamloop", services, "s", "alice", "loop") as loop:
        warm = run(loop, 20)
        assert run(loop, 20).resident - warm.resident > PAGES
