"""pykeyinit(7): each statement about the kernel, and each example."""

import re
from pathlib import Path

import pytest

from support import world

from .texts import PAGES, alice, alice_without_session, examples

pytestmark = pytest.mark.privileged
PAGE = PAGES["pykeyinit.7"]


@pytest.fixture(autouse=True)
def _token() -> None:
    assert alice("keyctl", "add", "user", "doc-token", "secret", "@u").returncode == 0


@pytest.mark.parametrize("script", examples(PAGE))
def test_the_examples_run(script: str) -> None:
    done = alice("sh", "-ec", f"keyctl link @u @s; {script}")
    assert done.returncode == 0, done.stderr


def test_the_second_example_shows_what_it_says() -> None:
    (script,) = (block for block in examples(PAGE) if "not found" in block)
    lines = alice("sh", "-ec", script).stdout.splitlines()
    assert "not found" in lines
    assert re.fullmatch(r"\d+", lines[-1])


def test_a_session_keyring_without_the_user_keyring_does_not_find_its_keys() -> None:
    assert alice("keyctl", "request", "user", "doc-token").returncode != 0
    linked = alice("sh", "-ec", "keyctl link @u @s; keyctl request user doc-token")
    assert linked.returncode == 0


def test_where_there_is_no_session_keyring_the_user_session_keyring_stands_in() -> None:
    assert alice_without_session("keyctl", "request", "user", "doc-token").returncode == 0


def test_the_user_session_keyring_is_ignored_where_there_is_a_session_keyring() -> None:
    added = alice_without_session("keyctl", "add", "user", "doc-only-there", "x", "@us")
    assert added.returncode == 0
    search = ("keyctl", "request", "user", "doc-only-there")
    assert alice_without_session(*search).returncode == 0
    assert alice("sh", "-ec", f"keyctl link @u @s; {' '.join(search)}").returncode != 0


def test_the_user_session_keyring_links_the_user_keyring() -> None:
    shown = alice("keyctl", "show", "@us").stdout
    assert re.search(rf"_uid_ses\.{world.uid('alice')}\n.*\\_ keyring: _uid\.", shown)


@pytest.mark.parametrize("keyring", ["@t", "@p"])
def test_thread_and_process_keyrings_are_gone_at_execve(keyring: str) -> None:
    script = f"""
import os, keyutils
keyring = keyutils.KEY_SPEC_{"THREAD" if keyring == "@t" else "PROCESS"}_KEYRING
keyutils.add_key(b"doc-brief", b"x", keyring)
print(keyutils.request_key(b"doc-brief", 0), flush=True)
os.execvp("keyctl", ["keyctl", "request", "user", "doc-brief"])
"""
    done = alice("/usr/bin/python3", "-IB", "-c", script)
    assert re.fullmatch(r"\d+\n", done.stdout)  # found before, and not after
    assert done.returncode != 0


def test_the_session_keyring_is_kept_by_fork_and_execve() -> None:
    script = "keyctl add user doc-mine x @s >/dev/null; sh -c 'keyctl request user doc-mine'"
    assert alice("sh", "-ec", script).returncode == 0


def test_nothing_is_found_in_a_revoked_session_keyring() -> None:
    script = "keyctl link @u @s; keyctl request user doc-token; keyctl revoke @s; echo revoked"
    done = alice("sh", "-ec", f"{script}; keyctl request user doc-token")
    assert done.stdout.endswith("revoked\n")
    assert done.returncode != 0


def test_who_does_not_possess_a_key_may_not_read_it() -> None:
    script = "key=$(keyctl add user doc-private x @s); keyctl print $key; keyctl new_session"
    done = alice("sh", "-ec", f"{script}; keyctl session - keyctl print $key || echo refused")
    assert done.stdout.startswith("x\n")
    assert done.stdout.endswith("refused\n")


def test_the_user_keyring_outlives_the_users_processes() -> None:
    """Alice has no process between two of these; before Linux 5.3 she would have lost her keys."""
    release = Path("/proc/sys/kernel/osrelease").read_text()
    if tuple(int(number) for number in re.findall(r"\d+", release)[:2]) < (5, 3):
        pytest.skip(f"Linux {release.strip()} is older than 5.3")
    before = alice("keyctl", "search", "@u", "user", "doc-token").stdout
    assert alice("keyctl", "search", "@u", "user", "doc-token").stdout == before != ""


def test_the_persistent_keyring_expires_as_the_page_says() -> None:
    script = "keyctl get_persistent @s; keyctl show @s; cat /proc/keys"
    shown = alice("sh", "-ec", script).stdout
    serial = int(shown.split()[0])
    assert f"keyring: _persistent.{world.uid('alice')}" in shown
    (left,) = re.findall(rf"^{serial:08x} \S+ +\d+ +(\d+)([smhdw]) ", shown, re.MULTILINE)
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[left[1]]
    setting = Path("/proc/sys/kernel/keys/persistent_keyring_expiry")
    # The kernel prints it in whole units, and some seconds have passed.
    assert int(left[0]) * unit <= int(setting.read_text()) <= (int(left[0]) + 1) * unit + 60


@pytest.mark.parametrize(
    "call",
    [
        "keyctl.add_user_key('doc-lost', b'x', -3)",
        "keyctl.link(-4, -3)",
        "keyctl.set_permissions(-3, 0x3f3f0000)",
    ],
)
def test_a_write_to_the_session_keyring_joins_a_new_one_where_the_other_stands_in(
    call: str,
) -> None:
    script = f"""
from pam_pykeyinit.kernel import keyctl, syscalls
assert syscalls.get_keyring_id(-3) == syscalls.get_keyring_id(-5)
{call}
assert keyctl.describe(-3)[4] == "_ses"
"""
    done = alice_without_session("/usr/bin/python3", "-Ic", script)
    assert done.returncode == 0, done.stderr


def test_a_write_to_the_user_session_keyring_by_its_own_name_stays() -> None:
    add = "keyctl add user doc-stays x @us; keyctl request user doc-stays"
    assert alice_without_session("sh", "-ec", add).returncode == 0
