"""The users with sessions, the end of a keyring, and the effect of a failure."""

import errno
import os

import pytest

from pam_pykeyinit import codes
from pam_pykeyinit.kernel import keyctl, setids, syscalls, sysnums
from pam_pykeyinit.module import Handle
from policies.conftest import Run
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

# They mostly wait: one worker does that for all.
pytestmark = [pytest.mark.privileged, pytest.mark.lengthy, pytest.mark.xdist_group("policies")]

SUCCESS, PERM_DENIED, SESSION_ERR = 0, 6, 14
DEAD = {"error": "EKEYREVOKED"}
EXPIRED = {"error": "EKEYEXPIRED"}


@pytest.mark.parametrize(
    ("options", "user", "left_out"),
    [
        ("minimum_uid={next}", "alice", True),
        ("minimum_uid={alice}", "alice", False),
        ("minimum_uid=1", "root", True),
        ("ignore_root", "root", True),
        ("ignore_root", "alice", False),
        ("minimum_uid=x", "alice", False),
    ],
)
def test_whose_sessions_are_left_out(run: Run, options: str, user: str, left_out: bool) -> None:
    alice = world.uid("alice")
    options = options.format(alice=alice, next=alice + 1)
    outcome = run(
        f"force revoke {options}", f"start 0 s {user}\nestablish 0\nopen 0\nclose 0\ndelete 0\n"
    )

    assert outcome.codes()[:3] == [SUCCESS] * 3
    assert (outcome.steps[2].fields[4] == "_uid_ses.0") is left_out
    # Nothing was created, so there is nothing to delete; otherwise close has done it.
    assert outcome.codes()[3] == PERM_DENIED
    assert (outcome.steps[-1].session == DEAD) is not left_out


def test_who_is_left_out_keeps_the_keyring_in_place(run: Run, journal: Journal) -> None:
    outcome = run("force ignore_root", "prep own bob\nstart 0 s root\nopen 0\nclose 0\n")
    assert outcome.steps[-1].session["serial"] == outcome.steps[0].session["serial"]
    assert journal.ours() == []


def test_revoke_never_is_as_if_revoke_were_not_there(run: Run) -> None:
    outcome = run("force revoke revoke=never", "start 0 s alice\nopen 0\ndelete 0\nclose 0\n")
    assert outcome.codes() == [SUCCESS, PERM_DENIED, SUCCESS]
    assert outcome.steps[-1].fields[1] == world.uid("alice")


def test_revoke_cred_waits_for_delete_cred(run: Run) -> None:
    """close_session of other modules comes after ours, and may need the keys."""
    outcome = run("force revoke=cred", "start 0 s alice\nopen 0\nclose 0\ndelete 0\n")
    assert outcome.codes() == [SUCCESS] * 3
    assert outcome.steps[-2].fields[1] == world.uid("alice")
    assert outcome.steps[-1].session == DEAD


def test_a_plain_revoke_on_another_line_holds(driver, loader: str) -> None:  # type: ignore[no-untyped-def]
    stack = f"auth required {loader} force tag\nsession required {loader} force revoke"
    outcome = driver.run(
        driver.services(s=stack), "start 0 s alice\nestablish 0\nopen 0\nclose 0\n"
    )
    assert outcome.steps[-1].session == DEAD


@pytest.mark.parametrize("last", ["close", "delete"])
def test_a_time_of_grace(run: Run, last: str, journal: Journal) -> None:
    """Until the end of the grace period the keys can be used; then not, as after a revocation."""
    script = f"start 0 s alice\nopen 0\n{last} 0\nsleep 1300\nlook\n"
    outcome = run("force revoke=1s", script)
    ended, later = outcome.steps[-2:]
    assert outcome.codes()[:2] == [SUCCESS] * 2
    assert ended.fields[1] == world.uid("alice")
    assert later.session == EXPIRED
    assert journal.ours() == []


def test_a_time_of_grace_for_a_keyring_that_was_displaced(run: Run, journal: Journal) -> None:
    script = "start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\nclose 0\nsleep 1300\nlook\n"
    outcome = run("force revoke=1", script)
    first, second = list(outcome.steps[-1].keyrings)[1:]
    assert outcome.steps[-1].keyrings[first] == "EKEYEXPIRED"
    assert outcome.steps[-1].keyrings[second] == "live"
    assert journal.ours() == []


def test_a_time_of_grace_where_the_possessor_has_lost_the_right(run: Run) -> None:
    outcome = run(
        "force revoke=1", "start 0 s alice\nopen 0\nsetperm 0x3f0000\nclose 0\nsleep 1300\nlook\n"
    )
    assert outcome.steps[-1].session == EXPIRED


def _seccomp(error: str, operation: int | None = None) -> str:
    argument = "" if operation is None else f" {operation}"
    return f"seccomp {sysnums.KEYCTL} {getattr(errno, error)}{argument}"


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES", "EDQUOT"])
@pytest.mark.parametrize("options", ["", "force", "force name=x"])
def test_degrade_opens_without_a_keyring_and_says_so_once(
    run: Run, error: str, options: str, journal: Journal
) -> None:
    script = f"{_seccomp(error)}\nstart 0 s alice\nestablish 0\nopen 0\nclose 0\n"
    outcome = run(f"{options} revoke on_error=degrade", script)

    assert outcome.codes() == [SUCCESS] * 3
    line, *more = journal.ours()
    assert f": {error}: alice gets no new session keyring" in line.text
    if error == "ENOSYS" and not options:  # no error for pam_keyinit either: it logs it itself
        assert {line.level, *(line.level for line in more)} == {"NOTICE"}
    else:
        assert (line.level, more) == ("WARNING", [])
        assert ": continuing without it, by on_error=degrade" in line.text


@pytest.mark.parametrize("options", ["", "on_error=fail", "on_error=x"])
def test_to_fail_is_the_default(run: Run, options: str) -> None:
    outcome = run(f"force {options}", f"{_seccomp('EPERM')}\nstart 0 s alice\nopen 0\n")
    assert outcome.codes() == [SESSION_ERR]


def test_degrade_with_a_keyring_that_could_not_be_linked(run: Run, journal: Journal) -> None:
    script = f"{_seccomp('EPERM', 8)}\nstart 0 s alice\nopen 0\nclose 0\n"
    outcome = run("force revoke on_error=degrade", script)
    assert outcome.codes() == [SUCCESS] * 2
    assert outcome.steps[1].session["links"] == []
    assert outcome.steps[2].session == DEAD
    assert [line.level for line in journal.ours()] == ["WARNING"]


@pytest.mark.parametrize("stage", ["revoked", "expired"])
def test_degrade_is_for_denials_only(run: Run, stage: str) -> None:
    outcome = run("on_error=degrade", f"prep {stage} alice\nstart 0 s alice\nopen 0\n")
    assert outcome.codes() == [SESSION_ERR]


def test_degrade_is_not_for_ids_that_cannot_be_had(run: Run) -> None:
    script = f"seccomp {sysnums.SETRESUID} {errno.EPERM}\nstart 0 s alice\nopen 0\n"
    assert run("force on_error=degrade", script).codes() == [SESSION_ERR]


@pytest.mark.parametrize(
    ("stage", "options", "replaced"),
    [
        ("own bob", "foreign=replace", True),
        ("own root", "foreign=replace", True),
        ("own alice", "foreign=replace", False),
        ("own bob", "foreign=keep", False),
        ("own bob", "foreign=x", False),
        ("own bob\nsetperm 0x08000000", "foreign=replace", True),  # it hides its owner
    ],
)
def test_a_foreign_session_keyring(run: Run, stage: str, options: str, replaced: bool) -> None:
    found, opened, closed = run(
        f"{options} revoke", f"prep {stage}\nstart 0 s alice\nopen 0\nclose 0\n"
    ).steps
    assert (found.session["serial"] != opened.session["serial"]) is replaced
    if replaced:
        assert opened.fields[1] == world.uid("alice")
        assert [link.split(";")[4] for link in opened.session["links"]] == [
            f"_uid.{world.uid('alice')}"
        ]
        assert closed.session == DEAD
    else:
        assert closed.session == opened.session


def test_the_user_session_keyring_of_another_user_is_foreign(run: Run) -> None:
    """As in a service that never got a session keyring: root's @us is in place."""
    for options, owner in (("foreign=keep", "root"), ("foreign=replace", "alice")):
        outcome = run(options, "prep us\nstart 0 s alice\nopen 0\n")
        assert outcome.steps[-1].fields[1] == world.uid(owner)


def _end_with_the_serial_of_another(options: str) -> tuple[object, str]:
    """Simulate that the kernel uses a serial number again, which it does at random."""
    os.setresgid(*[world.gid("bob")] * 3)
    setids.setresuid(world.uid("bob"), 0, 0)
    other = syscalls.join_anonymous_session()
    keyctl.link(other, syscalls.THREAD_KEYRING)  # so that it stays, and could be revoked
    setids.setresuid(0, 0, 0)
    handle = Handle()
    handle.pam_sm_open_session(Pamh("alice"), 0, ["m", "force", *options.split()])
    handle._session.keyring = other
    code = handle.pam_sm_setcred(Pamh("alice"), codes.PAM_DELETE_CRED, ["m", *options.split()])
    setids.setresuid(world.uid("bob"), world.uid("bob"), 0)
    return code, keyctl.describe(other)[4]


@pytest.mark.parametrize("options", ["revoke=cred", "revoke=90", "revoke tag"])
def test_a_serial_number_that_was_used_again_is_not_ended(options: str, journal: Journal) -> None:
    code, name = in_child(lambda: _end_with_the_serial_of_another(options))
    assert (code, name) == (codes.PAM_CRED_ERR, "_ses")
    (line,) = journal.ours()
    assert line.level == "ERR"


def _end_one_of_another_name() -> object:
    handle = Handle()
    handle.pam_sm_open_session(Pamh("root"), 0, ["m", "force", "revoke=90"])
    handle._session.keyring = keyctl.join_named_session("another")
    code = handle.pam_sm_setcred(Pamh("root"), codes.PAM_DELETE_CRED, ["m", "revoke=90"])
    return code, keyctl.describe(syscalls.SESSION_KEYRING)[4]


def test_a_keyring_of_the_user_that_is_another_is_not_ended(journal: Journal) -> None:
    assert in_child(_end_one_of_another_name) == (codes.PAM_CRED_ERR, "another")
    (line,) = journal.ours()
    assert "of uid 0 is not the session keyring of root: not revoked" in line.text
