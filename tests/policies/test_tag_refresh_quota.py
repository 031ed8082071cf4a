"""The tag, the refresh, and the warning about quotas."""

import errno
import re
import subprocess

import pytest

from pam_pykeyinit import codes
from pam_pykeyinit.kernel import keyctl, syscalls, sysnums
from pam_pykeyinit.module import Handle
from pam_pykeyinit.policies import quota, refresh
from policies.conftest import Run
from policies.squatter import become
from support import world
from support.child import in_child
from support.drive import Driver
from support.journal import Journal
from support.pamh import Pamh

# They mostly wait: one worker does that for all.
pytestmark = [pytest.mark.privileged, pytest.mark.lengthy, pytest.mark.xdist_group("refresh")]

PERM_DENIED = 6
PAM_SILENT = 0x8000
TABLE = """\
    0:    48 47/47 39/1000000 767/25000000
 1000:   106 106/106 105/200 9000/20000
"""
KEYS = """\
0a1b2c3d I--Q---    10 perm 3f030000  1000  1000 keyring   _ses: 1
0a1b2c3e I--Q---     1   9m 3f030000  1000  1000 keyring   _ses: 1
0a1b2c3f I--Q---     1 expd 3f030000  1000  1000 keyring   _ses: 1
garbage
"""


def test_a_tag_tells_where_a_keyring_came_from(run: Run, journal: Journal) -> None:
    script = (
        "start 0 s alice\nitem 0 tty pts/7\nitem 0 rhost 192.0.2.1\nopen 0\nread pam_pykeyinit\n"
    )
    outcome = run("force tag", script)
    ((text,),) = outcome.hygiene
    assert re.fullmatch(
        r"service=s tty=pts/7 rhost=192\.0\.2\.1 time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ pid=\d+",
        text,
    )
    alice = world.uid("alice")
    assert [link.split(";") for link in outcome.steps[-1].session["links"] if "user;" in link] == [
        ["user", str(alice), "0", "0b030000", "pam_pykeyinit"]
    ]
    assert journal.ours() == []


def test_what_is_not_known_is_left_out(run: Run) -> None:
    ((text,),) = run("force tag", "start 0 s alice\nopen 0\nread pam_pykeyinit\n").hygiene
    assert re.fullmatch(r"service=s time=\S+ pid=\d+", text)


def test_nobody_can_forge_a_tag_from_outside(run: Run) -> None:
    script = "start 0 s alice\nitem 0 rhost a%20pid=1%0ab%1b[2J%5c\nopen 0\nread pam_pykeyinit\n"
    ((text,),) = run("force tag", script).hygiene
    assert [word.partition("=")[0] for word in text.split(" ")] == [
        "service",
        "rhost",
        "time",
        "pid",
    ]
    assert r"rhost=a\x20pid=1\nb\x1b[2J\\" in text


def test_a_remote_host_that_is_not_utf8(run: Run) -> None:
    """pam_python has no such text, so it is left out there."""
    script = "start 0 s alice\nitem 0 rhost %ff\nopen 0\nread pam_pykeyinit\n"
    outcome = run("force tag", script)
    assert outcome.codes() == [0]
    ((text,),) = outcome.hygiene
    assert text.startswith("service=s ")
    assert text.isascii()


def test_a_tag_cannot_be_written(run: Run) -> None:
    """Nor changed by its owner: only unlinked."""
    alice, group = world.uid("alice"), world.gid("alice")
    script = (
        f"start 0 s alice\nopen 0\nids {alice} {alice} 0 {group} {group} 0\nadd pam_pykeyinit\n"
    )
    with pytest.raises(AssertionError, match="add_key: Permission denied"):
        run("force tag", script)


def test_a_shared_keyring_keeps_its_first_tag(
    driver: Driver, loader: str, journal: Journal
) -> None:
    line = f"session required {loader} force tag name=tagged-%u-{loader[:12].strip('.')}"
    services = driver.services(first=line, second=line)
    script = "start 0 first alice\nopen 0\nstart 1 second alice\nopen 1\nread pam_pykeyinit\n"
    ((text,),) = driver.run(services, script).hygiene
    assert text.startswith("service=first ")
    assert journal.ours() == []


@pytest.mark.parametrize("call", ["refresh", "reinitialize"])
def test_a_lost_link_is_put_back(run: Run, call: str, journal: Journal) -> None:
    alice, group = world.uid("alice"), world.gid("alice")
    lost = (
        f"start 0 s alice\nopen 0\nids {alice} 0 0 {group} 0 0\nkeyctl 9 -4 -3\nids 0 0 0 0 0 0\n"
    )
    outcome = run("force refresh", f"{lost}look\n{call} 0\n")
    before, after = outcome.steps[-2:]
    assert before.session["links"] == []
    assert after.code == 0
    assert [link.split(";")[4] for link in after.session["links"]] == [f"_uid.{alice}"]
    assert journal.ours() == []


def test_a_screen_locker_refreshes_the_session_that_it_is_in(run: Run) -> None:
    """Its handle has opened no session."""
    outcome = run("refresh", "prep own alice\nstart 0 s alice\nrefresh 0\n")
    assert outcome.codes() == [0]
    assert len(outcome.steps[-1].session["links"]) == 1


@pytest.mark.parametrize(
    ("options", "stage"),
    [
        ("", "own alice"),  # as pam_keyinit
        ("refresh", "own bob"),
        ("refresh", "own root"),
        ("refresh", "us"),
        ("refresh name=%u-other", "own alice"),
        ("refresh minimum_uid=4000000000", "own alice"),
    ],
)
def test_what_is_not_ours_is_not_refreshed(run: Run, options: str, stage: str) -> None:
    outcome = run(options, f"prep {stage}\nlook\nstart 0 s alice\nrefresh 0\n")
    assert outcome.codes()[-1] == PERM_DENIED  # libpam got only PAM_IGNORE
    assert outcome.steps[-1].session == outcome.steps[0].session


def test_another_keyring_than_the_handles_own_is_not_refreshed(run: Run) -> None:
    script = "start 0 s alice\nopen 0\nstart 1 s alice\nopen 1\nrefresh 0\n"
    assert run("force refresh", script).codes() == [0, 0, PERM_DENIED]


def test_a_setcred_that_asks_for_no_refresh_is_none() -> None:
    def asked() -> tuple[object, object]:
        handle, words = Handle(), ["m", "force", "refresh"]
        opened = handle.pam_sm_open_session(Pamh("alice"), 0, words)
        return opened, handle.pam_sm_setcred(Pamh("alice"), PAM_SILENT, words)

    assert in_child(asked) == (0, codes.PAM_IGNORE)


def test_a_dead_keyring_cannot_be_refreshed(run: Run, journal: Journal) -> None:
    outcome = run("refresh", "prep revoked alice\nstart 0 s alice\nrefresh 0\n")
    assert outcome.codes() == [17]
    (line,) = journal.ours()
    assert line.text.endswith(
        "EKEYREVOKED: the session keyring of alice is not refreshed (the keyring has been revoked)"
    )


def test_a_running_timeout_is_put_off(run: Run) -> None:
    """Closed with a grace period, and refreshed for a minute by the process that stayed."""
    script = "prep own alice\nkeyctl 15 -3 4\nstart 0 s alice\nrefresh 0\nsleep 4300\nlook\n"
    outcome = run("refresh revoke=1m", script)
    assert outcome.codes()[0] == 0
    assert "error" not in outcome.steps[-1].session


def test_no_timeout_is_begun(run: Run) -> None:
    script = "prep own alice\nstart 0 s alice\nrefresh 0\nsleep 1300\nlook\n"
    assert "error" not in run("refresh revoke=1", script).steps[-1].session


@pytest.mark.parametrize(
    ("serial", "running"),
    [(0x0A1B2C3D, False), (0x0A1B2C3E, True), (0x0A1B2C3F, False), (1, False)],
)
def test_whether_a_timeout_is_running(serial: int, running: bool) -> None:
    assert refresh.has_timeout(KEYS, serial) is running


def test_what_is_used_of_a_quota() -> None:
    used = dict(quota.parse(TABLE))
    assert used[1000] == (105, 200, 9000, 20000)
    assert 1 not in used


def _fill() -> None:
    """As carol, own more than 1% of the bytes that the tests' world allows."""
    become("carol")
    for number in range(9):
        keyctl.add_user_key(f"quota{number}", b"x" * 32_000, syscalls.USER_KEYRING)


@pytest.mark.parametrize("percent", [1, 100])
def test_a_warning_about_the_quota(run: Run, percent: int, journal: Journal) -> None:
    try:
        in_child(_fill)
        outcome = run(f"force quota_warn={percent}", "start 0 s carol\nopen 0\n")
    finally:
        as_carol = ["setpriv", "--reuid=carol", "--regid=carol", "--clear-groups"]
        subprocess.run([*as_carol, "keyctl", "clear", "@u"], check=True)
    assert outcome.codes() == [0]
    lines = journal.ours()
    assert [line.level for line in lines] == (["WARNING"] if percent == 1 else [])
    for line in lines:
        assert re.search(r"carol has \d+ of \d+ keys, \d+ of \d+ bytes: more than 1%", line.text)


def test_a_tag_is_not_worth_the_last_of_a_quota(run: Run, journal: Journal) -> None:
    refusal = f"seccomp {sysnums.ADD_KEY} {errno.EDQUOT}"
    outcome = run("force tag debug", f"{refusal}\nstart 0 s alice\nopen 0\n")
    assert outcome.codes() == [0]
    assert len(outcome.steps[-1].session["links"]) == 1
    lines = [line for line in journal.ours() if "tag" in line.text]
    assert [line.level for line in lines] == ["DEBUG"]
