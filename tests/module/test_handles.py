"""What a handle leaves to others: the empty keyring of a refused session, and open sessions."""

import errno

import pytest

from pam_pykeyinit import codes, failure, session
from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.module import Handle
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

LINE = ["m", "force", "revoke"]
ALICE, BOB = Pamh("alice"), Pamh("bob")


def _opened(user: Pamh) -> tuple[Handle, int]:
    handle = Handle()
    assert handle.pam_sm_open_session(user, 0, LINE) == codes.PAM_SUCCESS
    return handle, syscalls.get_keyring_id(syscalls.SESSION_KEYRING)


def _state(keyring: int) -> str:
    try:
        keyctl.describe(keyring)
    except syscalls.KernelError as error:
        return errno.errorcode[error.errno]
    return "live"


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No ordinary session keyring can be created."""

    def refused(results: list[int]) -> None:
        raise syscalls.KernelError(errno.EDQUOT, "keyctl(JOIN_SESSION_KEYRING)")

    monkeypatch.setattr(syscalls, "new_session", refused)
    return monkeypatch


@pytest.mark.usefixtures("refusing")
def test_the_empty_keyring_is_the_users(journal: Journal) -> None:
    def seen() -> list[int]:
        before = syscalls.join_anonymous_session()
        code = Handle().pam_sm_open_session(ALICE, 0, LINE)
        after = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
        return [code, after != before, keyctl.describe(after)[1]]

    assert in_child(seen) == [codes.PAM_SESSION_ERR, True, world.uid("alice")]
    (line,) = journal.ours()
    assert line.text.endswith("; an empty session keyring replaces the caller's")


def test_without_force_the_callers_keyring_stays(journal: Journal) -> None:
    def stays() -> list[object]:
        before = syscalls.join_anonymous_session()
        code: object = Handle().pam_sm_open_session(Pamh(KeyboardInterrupt()), 0, ["m", "revoke"])
        return [code, syscalls.get_keyring_id(syscalls.SESSION_KEYRING) == before]

    assert in_child(stays) == [codes.PAM_SESSION_ERR, True]
    (line,) = journal.ours()
    assert "keyring" not in line.text


@pytest.mark.parametrize("user", [BOB, Pamh(KeyboardInterrupt())])
def test_a_session_that_it_displaces_can_still_be_revoked(
    user: Pamh, refusing: pytest.MonkeyPatch
) -> None:
    """Its keyring is then no longer possessed, and a root process has no right to revoke it."""

    def displaced() -> list[object]:
        refused = syscalls.new_session
        refusing.undo()
        alices, keyring = _opened(ALICE)
        refusing.setattr(syscalls, "new_session", refused)
        code: object = Handle().pam_sm_open_session(user, 0, LINE)
        return [code, alices.pam_sm_close_session(ALICE, 0, LINE), _state(keyring)]

    assert in_child(displaced) == [codes.PAM_SESSION_ERR, codes.PAM_SUCCESS, "EKEYREVOKED"]


def test_only_an_open_session_is_kept_for_a_later_handle() -> None:
    def kept() -> list[object]:
        closed, _ = _opened(ALICE)
        closed.pam_sm_close_session(ALICE, 0, LINE)
        closed.pam_sm_end(ALICE)
        none = list(session.abandoned)

        left, keyring = _opened(ALICE)
        left.pam_sm_end(ALICE)
        one = list(session.abandoned)

        Handle().pam_sm_close_session(ALICE, 0, LINE)
        return [none, one == [keyring], _state(keyring), list(session.abandoned)]

    assert in_child(kept) == [[], True, "EKEYREVOKED", []]


def test_a_later_handle_whose_user_is_not_known_logs_that_and_succeeds(journal: Journal) -> None:
    def closed() -> list[object]:
        left, keyring = _opened(ALICE)
        left.pam_sm_end(ALICE)
        user = Pamh(RuntimeError("refused"))
        code: object = Handle().pam_sm_close_session(user, 0, LINE)
        return [code, _state(keyring)]

    assert in_child(closed) == [codes.PAM_SUCCESS, "live"]
    (line,) = journal.ours()
    assert line.level == "ERR"


def test_the_loader_is_told_whether_there_is_a_keyring() -> None:
    def told() -> list[bool]:
        handle, _ = _opened(ALICE)
        opened = handle.has_keyring()
        handle.pam_sm_close_session(ALICE, 0, LINE)
        return [Handle().has_keyring(), opened, handle.has_keyring()]

    assert in_child(told) == [False, True, False]


def test_a_failure_that_cannot_be_described_has_its_code(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For lack of memory."""

    def no_memory(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(failure, "verdict", no_memory)
    answer = in_child(lambda: Handle().pam_sm_open_session(Pamh(RuntimeError("no")), 0, ["m"]))
    assert answer == codes.PAM_SESSION_ERR
    (line,) = journal.ours()
    assert line.text.endswith(": internal error")


def test_the_hold_of_a_handle_that_ends_is_forgotten() -> None:
    """A second release could unmap a page that something else has got meanwhile."""

    def seen() -> list[object]:
        handle, _ = _opened(ALICE)
        handle._session.hold()
        before = handle._session._hold
        handle.pam_sm_end(ALICE)
        return [before is None, handle._session._hold is None]

    assert in_child(seen) == [False, True]
