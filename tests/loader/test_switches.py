"""Ids are switched for the calls that need it, with signals blocked, and always restored.

pamfault (tests/driver/faults.c) refuses a call of the loader, or sends a signal there.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

import pytest
from kernel.test_identity import HOSTS
from loader.test_hosts import Host

from pam_pykeyinit.kernel import sysnums
from support import world
from support.drive import Driver, Outcome
from support.journal import Journal

pytestmark = pytest.mark.privileged

OURS = "pam_pykeyinit.so"
SUCCESS, SESSION_ERR = 0, 14
JOIN = "keyctl 1"
SWITCH = {"user": sysnums.SETRESUID, "group": sysnums.SETRESGID}


@dataclass(frozen=True)
class Open:
    """Opens sessions of alice with pamfault; `calls` are those of the loader in one."""

    driver: Driver
    services: Path
    calls: list[str]

    def after(self, command: str) -> Outcome:
        """A session that is opened after this command."""
        script = f"start 0 s alice\n{command}\nopen 0\n"
        return self.driver.run(self.services, script)


@pytest.fixture
def opening(faulty: Driver) -> Open:
    """With `force`, as root."""
    services = faulty.services(s=f"session required {OURS} force revoke")
    (calls,) = faulty.run(services, "start 0 s alice\nfault 0 0\nopen 0\ncalls\n").hygiene
    assert calls.count(JOIN) == 1
    return Open(faulty, services, calls)


def test_a_signal_comes_when_the_ids_are_the_hosts_again(opening: Open) -> None:
    """A handler of the host does not run as the user; it runs, for no signal stays blocked."""
    outcome = opening.after(f"signal {opening.calls.index(JOIN) + 1}")

    assert outcome.codes() == [SUCCESS]
    assert outcome.hygiene == [["0"] * 3]


def _of_the_way_back(opening: Open) -> list[int]:
    """The numbers of the calls that restore the ids."""
    found = [
        number
        for number, call in enumerate(opening.calls, 1)
        if call in ("setresuid", "setresgid") and number > opening.calls.index(JOIN)
    ]
    assert len(found) == 2
    return found


def test_ids_that_are_not_restored_at_once_are_restored(opening: Open, journal: Journal) -> None:
    for number in _of_the_way_back(opening):
        outcome = opening.after(f"fault {number} {errno.EAGAIN}")
        assert outcome.codes() == [SUCCESS]
        assert outcome.steps[-1].ids == [0] * 6
    assert journal.ours() == []


def test_ids_that_cannot_be_restored_raise_the_alarm(opening: Open, journal: Journal) -> None:
    first, _ = _of_the_way_back(opening)
    outcome = opening.after(f"fault {first} {errno.EPERM} lasting")

    assert outcome.codes() == [SESSION_ERR]
    alice, group = world.uid("alice"), world.gid("alice")
    assert outcome.steps[-1].ids == [alice, 0, 0, group, 0, 0]
    (line,) = journal.ours()
    assert line.level == "ALERT"
    assert f"ids are ({alice}, 0, 0) ({group}, 0, 0), must be (0, 0, 0) (0, 0, 0)" in line.text
    assert "session keyring" not in line.text, "alice's keyring was made and is kept"


@pytest.mark.parametrize("host", HOSTS, ids="-".join)
def test_a_host_with_ids_of_others_keeps_them(
    host: tuple[str, str, str], driver: Driver, journal: Journal
) -> None:
    """Also if the session can only be ended as its owner: alice took the possessor's rights."""
    ids = [0 if name == "root" else of(name) for of in (world.uid, world.gid) for name in host]
    services = driver.services(s=f"session required {OURS} force revoke")
    script = f"ids {' '.join(map(str, ids))}\nstart 0 s alice\nopen 0\nsetperm 0x3f0000\nclose 0\n"
    _, opened, closed = driver.run(services, script).steps

    assert (opened.code, closed.code, journal.ours()) == (SUCCESS, SUCCESS, [])
    assert opened.fields[1] == world.uid("alice")
    assert closed.session == {"error": "EKEYREVOKED"}
    assert opened.ids == closed.ids == ids


def test_a_filesystem_id_of_its_own_is_kept(driver: Driver, journal: Journal) -> None:
    """As that of a file server."""
    assert Host(driver)(OURS, "/usr/bin/python3", "serving.py") == "fine\n"
    assert journal.ours() == []


def _as_alice(options: str, script: str, driver: Driver) -> Outcome:
    """What a program of alice gets that is not privileged."""
    ids = " ".join([str(world.uid("alice"))] * 3 + [str(world.gid("alice"))] * 3)
    services = driver.services(s=f"session required {OURS} {options}")
    return driver.run(services, f"ids {ids}\nstart 0 s alice\n{script}\n")


def test_what_is_the_users_already_needs_no_right(driver: Driver, journal: Journal) -> None:
    """A program of alice opens her session where setresuid(2) and setresgid(2) are refused."""
    filters = "\n".join(f"seccomp {number} {errno.EPERM}" for number in SWITCH.values())
    outcome = _as_alice("force", f"{filters}\nopen 0", driver)

    assert outcome.codes() == [SUCCESS]
    assert outcome.steps[1].fields[1] == world.uid("alice")
    assert journal.ours() == []


def test_a_set_user_id_program_opens_a_session_of_its_owner(
    driver: Driver, journal: Journal
) -> None:
    """Of bob, started by alice: it may set each of its ids to those that it has."""
    ids = [of(name) for of in (world.uid, world.gid) for name in ("alice", "bob", "bob")]
    services = driver.services(s=f"session required {OURS} force")
    script = f"ids {' '.join(map(str, ids))}\nstart 0 s bob\nopen 0\n"
    _, opened = driver.run(services, script).steps

    assert (opened.code, journal.ours()) == (SUCCESS, [])
    assert opened.fields[1] == world.uid("bob")
    assert opened.ids == ids


def test_a_tag_needs_no_right(driver: Driver, journal: Journal) -> None:
    outcome = _as_alice("force tag", "open 0\nread pam_pykeyinit", driver)

    assert outcome.codes() == [SUCCESS]
    ((tag,),) = outcome.hygiene
    assert tag.startswith("service=s ")
    assert journal.ours() == []


@pytest.mark.parametrize("refused", SWITCH)
def test_nothing_is_done_with_ids_that_are_not_the_users(
    refused: str, driver: Driver, journal: Journal
) -> None:
    """Without `force` the session keyring in place stays."""
    services = driver.services(s=f"session required {OURS}")
    deny = f"seccomp {SWITCH[refused]} {errno.EPERM}"
    before, opened = driver.run(services, f"prep us\nstart 0 s alice\n{deny}\nopen 0\n").steps

    assert opened.code == SESSION_ERR
    assert opened.session == before.session
    (line,) = journal.ours()
    assert ": EPERM: alice gets no new session keyring" in line.text


def test_no_tag_is_added_with_an_id_that_is_not_the_users(
    driver: Driver, journal: Journal
) -> None:
    """setfsuid(2) does not report that it was refused."""
    services = driver.services(s=f"session required {OURS} force tag")
    deny = f"seccomp {sysnums.SETFSUID} {errno.EPERM}"
    _, opened = driver.run(services, f"start 0 s alice\n{deny}\nopen 0\n").steps

    assert opened.code == SUCCESS
    names = [link.split(";")[4] for link in opened.session["links"]]
    assert names == [f"_uid.{world.uid('alice')}"]
    assert [line.text.partition(": ")[2] for line in journal.ours()] == [
        "setfsuid: EPERM: the session keyring gets no tag"
    ]
