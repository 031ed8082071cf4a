"""A session that one handle opens and another one closes, as pamela does."""

import pytest

from support import world
from support.drive import Driver, Outcome, Step

pytestmark = pytest.mark.privileged

SUCCESS = 0
MOST = 256  # in left_open.py
OPEN = "start 0 s alice\nopen 0\nend 0\n"
CLOSE = "start 1 s {}\nclose 1\n"
# pam_python forgets the module with the last handle; this one keeps its interpreter.
KEPT = "start 9 kept alice\nopen 9\n"


@pytest.fixture
def run(driver: Driver, loader: str):  # type: ignore[no-untyped-def]
    """Run a script; service `s` has the module, and `kept` has it with minimum_uid."""

    def run(script: str, options: str = "force revoke", module: str = loader) -> Outcome:
        services = driver.services(
            s=f"session required {module} {options}",
            later=f"session required {module}",
            both=f"auth required {module} {options}\nsession required {module} {options}",
            kept=f"session required {loader} minimum_uid=2000000000",
        )
        outcome = driver.run(services, script)
        assert set(outcome.codes()) == {SUCCESS}
        return outcome

    return run


@pytest.fixture
def _threads(loader: str) -> None:
    """The test has threads."""
    if loader != "pam_pykeyinit.so":
        world.leave_out("pam_python.so crashes programs with threads")


def _is_revoked(step: Step) -> bool:
    return step.session == {"error": "EKEYREVOKED"}


def _states(outcome: Outcome) -> list[str]:
    """The states of the keyrings that sessions have created, in their order."""
    return list(outcome.steps[-1].keyrings.values())[1:]


def test_a_later_handle_of_the_user_revokes_it(run, loader: str) -> None:  # type: ignore[no-untyped-def]
    ours = run(KEPT + OPEN + CLOSE.format("alice"))
    theirs = run(OPEN + CLOSE.format("alice"), module=world.ORACLE)

    assert _is_revoked(ours.steps[-1])
    assert _states(theirs) == ["live"], "libpam has unloaded pam_keyinit, and its state is lost"


@pytest.mark.parametrize("options", ["revoke", "force revoke"])
def test_credentials_of_the_later_handle_are_not_an_open(run, options: str) -> None:  # type: ignore[no-untyped-def]
    """Without `force` they find the keyring in place, and a close ends it; else their own."""
    later = "start 1 both alice\nestablish 1\nclose 1\n"
    outcome = run(f"{KEPT}start 0 both alice\nopen 0\nend 0\n{later}", options)
    assert _is_revoked(outcome.steps[-1])
    left = ["EKEYREVOKED"] if options == "revoke" else ["live", "EKEYREVOKED"]
    assert _states(outcome) == left


def test_pam_python_forgets_it_with_its_last_handle(run, loader: str) -> None:  # type: ignore[no-untyped-def]
    outcome = run(OPEN + CLOSE.format("alice"))
    assert _is_revoked(outcome.steps[-1]) == (loader == "pam_pykeyinit.so")


@pytest.mark.parametrize("user", ["bob", "root", "nosuch"])
def test_another_user_does_not(run, user: str) -> None:  # type: ignore[no-untyped-def]
    assert _states(run(KEPT + OPEN + CLOSE.format(user))) == ["live"]


def test_a_forked_child_does_not(run) -> None:  # type: ignore[no-untyped-def]
    """Neither with its copy of what an ended handle left, nor with its copy of a handle."""
    close = CLOSE.format("alice")
    assert _states(run(f"{KEPT}{OPEN}fork\n{close}join\nlook\n")) == ["live"]
    forked = run(f"{KEPT}start 0 s alice\nopen 0\nfork\nend 0\n{close}join\nlook\n")
    assert _states(forked) == ["live"]


def test_a_child_closes_what_it_opened_itself(run) -> None:  # type: ignore[no-untyped-def]
    outcome = run(f"{KEPT}fork\n{OPEN}{CLOSE.format('alice')}look\njoin\n")
    assert _is_revoked(outcome.steps[-1])


@pytest.mark.usefixtures("_threads")
def test_a_thread_with_another_session_keyring_does_not(run) -> None:  # type: ignore[no-untyped-def]
    """A thread inherits the session keyring of the thread that creates it, here before it."""
    outcome = run(f"{KEPT}thread 1\nlook\nthread 0\n{OPEN}thread 1\n{CLOSE.format('alice')}")
    assert _states(outcome) == ["live"]


def test_a_user_who_took_the_right_to_write_from_the_possessor(run) -> None:  # type: ignore[no-untyped-def]
    script = OPEN.replace("end 0", "setperm 0x3b3f0000\nend 0") + CLOSE.format("alice")
    assert _states(run(KEPT + script)) == ["EKEYREVOKED"]


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("first", ["alice", "root"])
@pytest.mark.parametrize("state", ["live", "EKEYREVOKED"])
def test_a_close_leaves_a_thread_without_session_keyring_as_it_is(  # type: ignore[no-untyped-def]
    run, first: str, state: str
) -> None:
    """Else root's user-session keyring would be the session keyring of the next user there."""
    ended = "" if state == "live" else "keyctl 3 -3\n"  # by its user
    opened = f"thread 1\nlook\nthread 0\n{OPEN}{ended}thread 1\n".replace("alice", first)
    script = f"prep none\n{KEPT}{opened}{CLOSE.format(first)}start 2 later alice\nopen 2\n"
    outcome = run(script, "revoke")
    assert _states(outcome) == [state, "live"]
    assert outcome.steps[-1].fields[1] == world.uid("alice")


def test_a_session_that_another_one_displaced_stays(run) -> None:  # type: ignore[no-untyped-def]
    """The later session is in place, so the close is its close."""
    script = KEPT + OPEN * 2 + CLOSE.format("alice") + CLOSE.format("alice")
    assert _states(run(script)) == ["live", "EKEYREVOKED"]


def test_a_session_that_its_own_handle_closed_is_not_looked_for(run) -> None:  # type: ignore[no-untyped-def]
    script = "start 0 s alice\nopen 0\nclose 0\nend 0\n" + CLOSE.format("alice")
    assert _states(run(KEPT + script)) == ["EKEYREVOKED"]


def test_a_handle_that_kept_it_closes_only_its_own_session(run) -> None:  # type: ignore[no-untyped-def]
    """Without force, an open keeps the keyring in place, and its close does not revoke it."""
    script = f"{KEPT}{OPEN}start 1 s alice\nopen 1\nclose 1\n"
    assert _states(run(script, options="revoke")) == ["live"]


def test_it_is_the_last_close_that_revokes(run) -> None:  # type: ignore[no-untyped-def]
    """The opens and closes of all handles are counted together."""
    twice = "start 0 s alice\nopen 0\nopen 0\nend 0\n"
    outcome = run(f"{KEPT}{twice}{CLOSE.format('alice')}end 1\n{CLOSE.format('alice')}")
    closed = [step for step in outcome.steps if step.call == "close"]
    assert [_is_revoked(step) for step in closed] == [False, True]


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ("force", "live"),
        ("force revoke=cred", "live"),
        ("force revoke=never", "live"),
        ("force revoke tag", "EKEYREVOKED"),
        ("force revoke=1h", "live"),
        ("force revoke name=left-%u", "live"),
    ],
)
def test_the_options_decide_as_for_one_handle(run, options: str, state: str) -> None:  # type: ignore[no-untyped-def]
    assert _states(run(KEPT + OPEN + CLOSE.format("alice"), options)) == [state]


def test_a_line_without_revoke_does_not_revoke(run) -> None:  # type: ignore[no-untyped-def]
    assert _states(run(f"{KEPT}{OPEN}start 1 later alice\nclose 1\n")) == ["live"]


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize(("later", "is_revoked"), [(MOST - 1, True), (MOST, False)])
def test_a_daemon_that_never_closes_does_not_grow(run, later: int, is_revoked: bool) -> None:  # type: ignore[no-untyped-def]
    """The oldest session is forgotten, here that of the first thread."""
    others = f"thread 1\nlook\nthread 0\n{OPEN}thread 1\n{OPEN * later}thread 0\n"
    outcome = run(KEPT + others + CLOSE.format("alice"))
    assert _is_revoked(outcome.steps[-1]) == is_revoked
