"""The contract of the module, row by row, on the real libpam and kernel."""

from pathlib import Path

import pytest

from support import mounts, world
from support.drive import Driver, Outcome

pytestmark = pytest.mark.privileged

SUCCESS, PERM_DENIED, SESSION_ERR = 0, 6, 14
MADE_BEFORE = 1  # existing session keyrings before the first call: @us, or a prepared one


@pytest.fixture
def run(driver: Driver, loader: str):  # type: ignore[no-untyped-def]
    """Run a script on service `s`, which has the module in its auth and session parts."""

    def run(script: str, options: str = "force revoke") -> Outcome:
        stack = f"auth required {loader} {options}\nsession required {loader} {options}"
        return driver.run(driver.services(s=stack), script)

    return run


def _made(outcome: Outcome) -> list[int]:
    return list(outcome.steps[-1].keyrings)[MADE_BEFORE:]


def test_a_session_has_its_own_keyring_with_the_user_keyring(run) -> None:  # type: ignore[no-untyped-def]
    opened, closed = run("start 0 s alice\nopen 0\nclose 0\nend 0\n").steps[1:3]

    assert opened.code == SUCCESS
    alice = world.uid("alice")
    assert opened.fields == ("keyring", alice, world.gid("alice"), "3f030000", "_ses")
    assert [link.split(";")[4] for link in opened.session["links"]] == [f"_uid.{alice}"]
    assert closed.code == SUCCESS
    assert closed.session == {"error": "EKEYREVOKED"}


@pytest.mark.parametrize("calls", ["establish open", "open establish", "open open establish"])
def test_setcred_and_open_session_come_in_either_order(run, calls: str) -> None:  # type: ignore[no-untyped-def]
    script = "".join(f"{call} 0\n" for call in calls.split())
    outcome = run(f"start 0 s alice\n{script}")

    assert set(outcome.codes()) == {SUCCESS}
    assert len(_made(outcome)) == 1


def test_only_the_last_close_revokes(run) -> None:  # type: ignore[no-untyped-def]
    first, second = run("start 0 s alice\nopen 0\nopen 0\nclose 0\nclose 0\n").steps[-2:]
    assert "error" not in first.session
    assert second.session == {"error": "EKEYREVOKED"}


def test_delete_cred_revokes_whatever_is_open(run) -> None:  # type: ignore[no-untyped-def]
    outcome = run("start 0 s alice\nopen 0\nopen 0\ndelete 0\nclose 0\nclose 0\n")
    assert outcome.codes() == [SUCCESS] * 5
    assert outcome.steps[3].session == {"error": "EKEYREVOKED"}


def test_without_revoke_the_keyring_lives(run) -> None:  # type: ignore[no-untyped-def]
    outcome = run("start 0 s alice\nopen 0\ndelete 0\nclose 0\nend 0\n", options="force")
    assert outcome.codes() == [SUCCESS, PERM_DENIED, SUCCESS]  # DELETE_CRED: ignored
    assert outcome.steps[-1].keyrings[_made(outcome)[0]] == "live"


def test_revoke_holds_if_one_line_of_the_stack_has_it(driver: Driver, loader: str) -> None:
    stack = f"auth required {loader} force revoke\nsession required {loader} force"
    script = "start 0 s alice\nestablish 0\nopen 0\nclose 0\n"
    outcome = driver.run(driver.services(s=stack), script)
    assert outcome.steps[-1].session == {"error": "EKEYREVOKED"}


@pytest.mark.parametrize("end", ["end 0", "forkend 0 alice"])
def test_the_end_of_a_handle_revokes_nothing(run, end: str) -> None:  # type: ignore[no-untyped-def]
    outcome = run(f"start 0 s alice\nopen 0\n{end}\n")
    assert outcome.steps[-1].code == SUCCESS
    assert outcome.steps[-1].keyrings[_made(outcome)[0]] == "live"


def test_the_parent_revokes_after_its_child_has_ended_the_handle(run) -> None:  # type: ignore[no-untyped-def]
    outcome = run("start 0 s alice\nopen 0\nforkend 0 alice\nclose 0\nend 0\n")
    assert outcome.steps[-2].session == {"error": "EKEYREVOKED"}


def test_sessions_one_after_the_other_in_one_process(run) -> None:  # type: ignore[no-untyped-def]
    """Each has its own handle, and with pam_python its own interpreter."""
    one = "start 0 s {0}\nestablish 0\nopen 0\nclose 0\ndelete 0\nend 0\n"
    outcome = run("".join(one.format(user) for user in ("alice", "bob", "alice", "root")))
    assert outcome.codes() == [SUCCESS, SUCCESS, SUCCESS, PERM_DENIED] * 4
    owners = [step.fields[1] for step in outcome.steps if step.call == "open"]
    assert owners == [world.uid(user) for user in ("alice", "bob", "alice", "root")]
    assert [outcome.steps[-1].keyrings[serial] for serial in _made(outcome)] == ["EKEYREVOKED"] * 4


def test_a_session_keyring_in_place_is_kept_without_force(run) -> None:  # type: ignore[no-untyped-def]
    for owner in ("alice", "bob"):
        outcome = run(f"prep own {owner}\nstart 0 s alice\nopen 0\nclose 0\n", options="revoke")
        assert outcome.codes() == [SUCCESS, SUCCESS]
        assert len(outcome.steps[-1].keyrings) == 1
        assert outcome.steps[-1].fields[1] == world.uid(owner)


def test_with_force_it_is_replaced(run) -> None:  # type: ignore[no-untyped-def]
    for owner in ("alice", "bob"):
        outcome = run(f"prep own {owner}\nstart 0 s alice\nopen 0\nclose 0\n")
        assert len(_made(outcome)) == 1
        in_place_before = next(iter(outcome.steps[0].keyrings))
        assert outcome.steps[-1].keyrings[in_place_before] == "live"


@pytest.mark.parametrize("length", [2_000, 20_000])
def test_an_entry_of_the_user_database_may_be_long(
    length: int, pamdrive: Path, tmp_path: Path, loader: str
) -> None:
    """getpwnam_r(3) asks for more space."""
    passwd = tmp_path / "passwd"
    uid, gid = world.uid("alice"), world.gid("alice")
    entry = f"long:x:{uid}:{gid}:{'x' * length}:/:/bin/sh\n"
    passwd.write_text(Path("/etc/passwd").read_text() + entry)
    program = mounts.wrapper(tmp_path / "drive", {"/etc/passwd": passwd}, str(pamdrive))
    driver = Driver(program, tmp_path)
    services = driver.services(s=f"session required {loader}")

    _, opened = driver.run(services, "start 0 s long\nopen 0\n").steps
    assert opened.code == SUCCESS
    assert opened.fields[1] == uid
