"""The default of `run`: all keys of the user are found, and keys added to @s stay.

With @us itself as the session keyring they are lost: this rule of the kernel is tested too.
"""

import os

import pytest

from helper.conftest import HELPER, Stage
from support import world

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
    """lookup_user_key in the kernel: pykeyinit(7) explains why."""
    script = f"keyctl add user {KEY} v @s >/dev/null; {REQUEST}"
    assert "not available" in run(stage, script, "--session=user-session")


@pytest.mark.parametrize("keyring", ["u", "us"])
def test_keys_in_both_of_the_users_keyrings_are_found(stage: Stage, keyring: str) -> None:
    script = f"keyctl add user {KEY} v @{keyring} >/dev/null; keyctl session - true; {REQUEST}; "
    assert run(stage, script + TIDY.format(keyring)).split()[0].isdigit()


NAMESPACE = ("setpriv", "--reuid=carol", "--regid=carol", "--clear-groups", "unshare", "-U")


@pytest.mark.parametrize("mapped", ["--map-root-user", "--map-current-user"])
def test_also_in_a_user_namespace_whose_session_keyring_is_us_of_outside(
    stage: Stage, mapped: str
) -> None:
    """The user owns it, and it is a user-session keyring, of another namespace."""
    world.need_user_namespaces()
    outside = f"keyctl add user {KEY}-us v @us >/dev/null; keyctl print %user:{KEY}-us"
    inside = f"keyctl add user {KEY} inside @s >/dev/null; keyctl print %user:{KEY}; {REQUEST}-us"
    ask = f"{HELPER} run sh -c '{inside}'; {HELPER} explain user:{KEY}-us; {HELPER} adopt"
    script = f'{outside}; "$@"; keyctl unlink %user:{KEY}-us @us'
    within = (*NAMESPACE[-2:], mapped, "sh", "-c", ask)
    started = stage.start("us carol", *NAMESPACE[:-2], "sh", "-c", script, "-", *within)
    said = started.output.splitlines()
    assert said[:2] == ["v", "inside"], (said, started.errors)
    assert said[2].isdigit()
    assert "of the user namespace around this one" in " ".join(started.output.split())
    assert "Nothing to do" in started.output
    assert started.errors == ""


def test_what_explain_says_in_such_a_namespace_mends(stage: Stage, shared: str) -> None:
    world.need_user_namespaces()
    ask = f"{HELPER} explain user:{KEY}"
    paste = (
        f"PATH=/usr/local/bin:$PATH; {ask} >{shared};"
        f" mend=$(sed -n 's/^To mend it: //p' {shared});"
        ' echo "$mend"; eval "$mend"'
    )
    started = stage.start(
        "us carol", *NAMESPACE, "-r", "sh", "-c", paste, input=f"{ask}; echo $?\n".encode()
    )
    assert "@u && pykeyinit-helper run -- " in started.output.splitlines()[0]
    assert started.output.endswith("\n0\n"), (started.output, started.errors)


def test_it_is_kept_by_the_next_start_and_no_other_login_finds_it(stage: Stage) -> None:
    own = 'keyctl show @s | sed -n "2s/^ *\\([0-9]*\\).*/\\1/p"'
    twice = run(stage, f"{own}; {HELPER} run sh -c '{own}'").split()
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert run(stage, own).split() != twice[:1]


def test_request_key_with_the_session_keyring_as_destination(stage: Stage) -> None:
    """The key is linked there, as by an upcall: with @us itself the program cannot use it."""
    script = (
        f"keyctl add user {KEY} v @u >/dev/null; keyctl request user {KEY} @s >/dev/null;"
        f"keyctl search @s user {KEY} >/dev/null && keyctl pipe $({REQUEST}); "
    )
    assert run(stage, script + TIDY.format("u")).startswith("v")
