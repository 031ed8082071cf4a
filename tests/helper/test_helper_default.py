"""The default of `run`: all of the user's keys are found, and what is added to @s stays.

With bare @us as the session keyring it does not: that rule of the kernel is shown here too.
"""

import os

import pytest

from helper.conftest import HELPER, Stage

pytestmark = pytest.mark.privileged

KEY = f"default-{os.getpid()}"
REQUEST = f"keyctl request user {KEY}"
TIDY = f"keyctl unlink $(keyctl search @us user {KEY}) @{{}}"


def run(stage: Stage, script: str, *options: str, user: str = "carol", first: str = "none") -> str:
    started = stage.start(first, HELPER, "run", *options, f"--user={user}", "sh", "-c", script)
    return started.output + started.errors


@pytest.mark.parametrize("user", ["carol", "root"])
def test_what_one_process_adds_to_the_session_keyring_the_next_one_finds(
    stage: Stage, user: str
) -> None:
    found = run(stage, f"sh -c 'keyctl add user {KEY} v @s'; {REQUEST}", user=user).split()
    assert len(found) == 2
    assert found[0] == found[1]


def test_with_the_user_session_keyring_alone_it_is_lost(stage: Stage) -> None:
    """lookup_user_key in the kernel: pykeyinit(7) says why."""
    script = f"keyctl add user {KEY} v @s >/dev/null; {REQUEST}"
    assert "not available" in run(stage, script, "--session=user-session")


@pytest.mark.parametrize("keyring", ["u", "us"])
def test_keys_in_both_of_the_users_keyrings_are_found(stage: Stage, keyring: str) -> None:
    script = f"keyctl add user {KEY} v @{keyring} >/dev/null; keyctl session - true; {REQUEST}; "
    assert run(stage, script + TIDY.format(keyring)).split()[0].isdigit()


def test_it_is_kept_by_the_next_start_and_no_other_login_finds_it(stage: Stage) -> None:
    own = 'keyctl show @s | sed -n "2s/^ *\\([0-9]*\\).*/\\1/p"'
    twice = run(stage, f"{own}; {HELPER} run sh -c '{own}'").split()
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert run(stage, own).split() != twice[:1]


def test_request_key_with_the_session_keyring_as_destination(stage: Stage) -> None:
    """A key is linked there, as an upcall's is: with bare @us the program cannot use it."""
    script = (
        f"keyctl add user {KEY} v @u >/dev/null; keyctl request user {KEY} @s >/dev/null;"
        f"keyctl search @s user {KEY} >/dev/null && keyctl pipe $({REQUEST}); "
    )
    assert run(stage, script + TIDY.format("u")).startswith("v")
