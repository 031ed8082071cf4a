"""Every system call of open and close in the real loader, refused by strace.

In each case: a code, one line, ids as before, no keyring of another user, and the
next session in the same process works.
"""

import pytest
from fault.outside import places
from fault.outside.places import OF_A_SESSION, Place

from support import world
from support.drive import Driver, Outcome
from support.journal import Journal, Line

pytestmark = pytest.mark.privileged

SUCCESS, SYSTEM_ERR, PERM_DENIED, USER_UNKNOWN, SESSION_ERR = 0, 4, 6, 10, 14
LIBPAMS_OWN = (SUCCESS, PERM_DENIED)  # a close after a failed open, without a line of ours
OF_THE_LOG = ("socket", "connect", "sendto")
# brk(2) has no errno: it returns the old end of the heap, which strace does not know.
WITHOUT_ERRNO = ("brk",)
OF_ANY_CALL = ("EPERM", "EINTR", "ENOMEM", "EMFILE", "EIO")
OF_KEYCTL = ("EACCES", "EAGAIN", "EDQUOT", "EKEYEXPIRED", "EKEYREVOKED", "ENOKEY", "ENOSYS")
REMEMBERED = ("getdents64",)  # Python caches the content of a folder
SPARSE = 9  # in the short form, test one call in so many, each with the next errno


def _faults(all_places: list[Place], *, long: bool) -> list[tuple[Place, str]]:
    chosen = []
    for number, place in enumerate(all_places):
        if place.plain in OF_A_SESSION:
            chosen += [(place, error) for error in ("EPERM", "EAGAIN", *OF_KEYCTL)]
        elif place.call not in WITHOUT_ERRNO:
            if long:
                chosen += [(place, error) for error in OF_ANY_CALL]
            elif number % SPARSE == 0 or place.call in REMEMBERED:
                chosen.append((place, OF_ANY_CALL[number // SPARSE % len(OF_ANY_CALL)]))
    return chosen


def _check_codes(outcome: Outcome, lines: list[Line]) -> None:
    opened, _, *again = outcome.codes()
    assert opened in (SUCCESS, SYSTEM_ERR, USER_UNKNOWN, SESSION_ERR)
    if again != [SUCCESS, SUCCESS]:  # except for a Python that could not be started
        first = lines[0].text
        assert "cannot use Python" in first
        assert {line.text for line in lines} == {first}, "another reason than the first time"
        assert again == [SESSION_ERR, SESSION_ERR]


def _check_keyrings(outcome: Outcome, place: Place) -> None:
    users = {world.uid("alice"), 0}
    for step in outcome.steps:
        assert step.ids == [0] * 6
        assert "error" in step.session or step.fields[1] in users
    opened, closed = outcome.steps[1:3]
    if opened.code == SUCCESS:
        assert opened.fields[1] == world.uid("alice")
        assert [link.split(";")[4] for link in opened.session["links"]] == [
            f"_uid.{world.uid('alice')}"
        ]
        if place.during == "open":
            assert closed.keyrings[opened.session["serial"]] == "EKEYREVOKED"


def _check_lines(outcome: Outcome, place: Place, lines: list[Line]) -> None:
    failed = [code for code in outcome.codes() if code not in LIBPAMS_OWN]
    if place.call in OF_THE_LOG:
        assert len(lines) <= len(failed)
    elif place.during == "close" and place.call == "keyctl":
        assert outcome.codes() == [SUCCESS] * 4
        assert len(lines) <= 1
    else:
        assert len(lines) == len(failed)


def test_every_call_of_the_loader_refused(
    driver: Driver, journal: Journal, request: pytest.FixtureRequest, tally: dict[str, int]
) -> None:
    all_places = places.enumerate_all(driver)
    assert {place.plain for place in all_places} >= {*OF_A_SESSION, "openat", "mmap", "connect"}
    services = places.stack(driver)
    journal.read()
    failures = 0
    for place, error in _faults(all_places, long=request.config.getoption("--long")):
        strace = ["--output=/dev/null", f"--trace={place.call}", place.inject(f"error={error}")]
        outcome = places.traced(driver, *strace).run(services, places.SCRIPT)
        lines = [line for line in journal.read() if line.text != "BEGIN"]
        try:
            _check_codes(outcome, lines)
            _check_keyrings(outcome, place)
            _check_lines(outcome, place, lines)
        except AssertionError as reason:
            raise AssertionError(f"{place} {error}: {outcome.codes()} {lines}") from reason
        failures += outcome.codes() != [SUCCESS] * 4
        tally["faults from outside"] = tally.get("faults from outside", 0) + 1
    assert failures > 20, "the faults do not arrive"
