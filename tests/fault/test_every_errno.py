"""Every call of the real loaders, refused with each errno of its manual pages.

The keyrings, ids, log and libpam are real, and so is the module as it is installed; between
it and libc and libpam is tests/driver/faults.c.  At each place of a sequence of PAM calls:

    the code is one of the manual page, and each failed call gives one line, no more
    without a line, everything is as without the fault
    ids are as before, and no process gets a keyring of another user
    a keyring of others is not revoked; ours is, or a line reports that it is not
    the next session in the process works
"""

from pathlib import Path

import pytest
from fault import errnos
from fault.sequences import BATCH, Case, Player, Sequence, cases_of, reported

from support import keyusers, world
from support.drive import Driver, Step
from support.journal import Journal

pytestmark = pytest.mark.privileged

SUCCESS, PERM_DENIED, SESSION_ERR, CRED_ERR = 0, 6, 14, 17
NOT_FAILED = (SUCCESS, PERM_DENIED)  # a stack of ignored modules returns the latter
FAILURE = {"open": SESSION_ERR, "close": SESSION_ERR, "establish": CRED_ERR, "delete": CRED_ERR,
           "refresh": CRED_ERR}  # fmt: skip
MOST_KEYS = 50  # of the quota's 200, before a process that makes up to 4 keyrings a case
OPEN_CLOSE = ("open 0", "close 0")
SEQUENCES = {
    "plain": Sequence("force revoke", OPEN_CLOSE),
    "credentials": Sequence("force revoke", ("establish 0", "open 0", "close 0", "delete 0")),
    "deleted": Sequence("force revoke", ("open 0", "delete 0", "close 0")),
    "unforced": Sequence("revoke", OPEN_CLOSE),
    "overlapping": Sequence("force revoke", ("open 0", "open 1", "close 0", "close 1")),
    "named": Sequence("force revoke name=fault-%u", OPEN_CLOSE),
    "linked": Sequence("force revoke link=user,user-session,persistent", OPEN_CLOSE),
    "left open": Sequence("force revoke", ("open 0", "end 0", "close 2")),
    "refreshed": Sequence("force revoke=90 refresh", ("open 0", "refresh 0", "close 0")),
}
# The short form: the sequences of each loader, and those in which keyctl(2) returns only the
# errnos of its page of section 3 and those that the code distinguishes.
SHORT = {"native": tuple(SEQUENCES), "pam_python": ("plain",)}  # that is slow
BRIEF = ("overlapping", "named", "linked", "refreshed")
TOLD_APART = ("EACCES", "EDEADLK", "EDQUOT", "ENOSYS", "EOPNOTSUPP", "EPERM")
# The calls of pam_python.so itself, and their effects, are not tested.
NOT_OURS = {"native": (), "pam_python": ("pam_get_data", "pam_set_data")}
# Not reported, because nothing is wrong: the keyrings make a circle, there is no state yet, the
# keyring that a later handle could revoke is dead, or a step of the cleanup failed, which a second
# try or the end of the process completes.
SILENT = {
    *((f"keyctl {n}", name) for n in (0, 6) for name in ("EKEYEXPIRED", "EKEYREVOKED", "ENOKEY")),
    *(("keyctl 8", "EDEADLK"), ("keyctl 22", "EDEADLK")),
    ("pam_get_data", "PAM_NO_MODULE_DATA"),
}
TIDYING = ("keyctl 9", "munmap")
WARNED = ": perhaps session keyring "  # of a consequence; if it happens, it has its own line


def _is_brief(case: Case) -> bool:
    if not case.call.startswith("keyctl "):
        return True
    return case.error in TOLD_APART or case.error in errnos.PAGES[errnos.CALLS[case.call][-1]]


def _play_all(player: Player, sequence: Sequence, cases: list[Case]) -> list[Case]:
    played: list[Case] = []
    for start in range(0, len(cases), BATCH):
        for user in ("alice", "bob", "carol"):
            keyusers.settle(world.uid(user), MOST_KEYS)  # some are not collected yet
        played += player.play(sequence, cases[start : start + BATCH])
    return played


def _failed(case: Case) -> list[Step]:
    return [step for step in case.steps if step.code not in NOT_FAILED]


def _check_codes(case: Case) -> None:
    for step in _failed(case):
        if case.call == "pam_get_user":
            assert step.code == errnos.number(case.error)
        else:
            assert step.code == FAILURE[step.call]


def _check_lines(case: Case, good: Case) -> None:
    failed = len(_failed(case))
    if failed:  # an empty keyring in place of another session's has a line at its end
        displaced = sum(" was not revoked by us " in line.text for line in case.lines)
        assert len(case.lines) - displaced * case.call.startswith("pam_") == failed
    elif reported(case.steps) != reported(good.steps) and case.call not in TIDYING:
        warned = sum(WARNED in line.text for line in case.lines)
        if case.lines or (case.call, case.error) not in SILENT:
            assert len(case.lines) - warned == 1 or len(case.lines) == warned == 1
    else:
        assert len(case.lines) <= 1
    assert all(line.text.startswith("pam_pykeyinit(") for line in case.lines)
    if not case.call.startswith("pam_"):  # each refusal of the kernel has words of its own
        assert not any("internal error" in line.text for line in case.lines)


def _check_keyrings(case: Case) -> None:
    begin = case.steps[0]
    users = {0, world.uid("alice"), world.uid("bob")}
    for step in case.steps:
        assert step.ids == [0] * 6
        assert "error" in step.session or step.fields[1] in users
        assert {serial: step.keyrings[serial] for serial in begin.keyrings} == begin.keyrings


def _check_next(case: Case) -> None:
    _, opened, closed, _ = case.after
    assert [step.code for step in case.after] == [SUCCESS] * 4
    assert opened.fields[1] == world.uid("carol")
    assert [link.split(";")[4] for link in opened.session["links"]] == [
        f"_uid.{world.uid('carol')}"
    ]
    assert closed.session == {"error": "EKEYREVOKED"}


@pytest.fixture
def player(pamdrive: Path, driver: Driver, journal: Journal, loader: str) -> Player:
    """With each loader in turn."""
    return Player(pamdrive.with_name("pamfault"), driver, journal, loader)


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_call_refused_with_every_errno(
    name: str,
    player: Player,
    loader: str,
    tally: dict[str, int],
    request: pytest.FixtureRequest,
) -> None:
    kind = world.kind(loader)
    long = request.config.getoption("--long")
    if name not in SHORT[kind] and not long:
        world.leave_out("with --long")
    sequence = SEQUENCES[name]
    (good,) = player.play(sequence, [Case()])
    assert [step.code for step in good.steps if step.code not in NOT_FAILED] == []
    assert not good.lines
    cases = [case for case in cases_of(good) if case.call not in NOT_OURS[kind]]
    if name in BRIEF and not long:
        cases = [case for case in cases if _is_brief(case)]
    for case in _play_all(player, sequence, cases):
        try:
            _check_codes(case)
            _check_lines(case, good)
            _check_keyrings(case)
            _check_next(case)
        except AssertionError as reason:
            codes = [step.code for step in case.steps]
            where = f"{case.position}: {case.call} {case.error}: {codes} {case.lines}"
            raise AssertionError(where) from reason
        tally["errnos of manual pages"] = tally.get("errnos of manual pages", 0) + 1
