"""`run --credential`: what the kernel refuses.  The program is not started."""

import pytest

from helper.conftest import AS, HELPER, UID, Stage
from helper.run.secret_files import AS_UID, READ, SECRET, Secrets, refused
from helper.run.test_says import at_a_client
from support import quotas
from support.journal import Journal

pytestmark = pytest.mark.privileged


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ("1", "keyctl(JOIN_SESSION_KEYRING): {}: no new session keyring"),
        ("add_key", "add_key(user): {}: no key for --credential token"),
        ("15", "keyctl(SET_TIMEOUT): {}: no key"),
        ("5", "keyctl(SETPERM): {}: no key"),
        ("8", "keyctl(LINK): {}: no key"),
        ("9", "keyctl(UNLINK): {}: no key"),
    ],
)
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES", "EDQUOT"])
@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_call_that_is_refused(
    stage: Stage, secrets: Secrets, call: str, named: str, error: str, quiet: tuple[str, ...]
) -> None:
    options = (f"--credential=token={secrets.file()}", "--credential-timeout=9", *quiet)
    started = stage.start(
        f"none deny {error} {call}", HELPER, "run", "--user=alice", *options, "echo"
    )
    refused(started, named.format(error), "started")


@pytest.mark.parametrize("options", [(), ("--revoke-on-exit",)])
def test_a_new_session_keyring_that_the_kernel_only_pretends_to_make(
    stage: Stage, secrets: Secrets, options: tuple[str, ...]
) -> None:
    """The keyring in place is one that other processes of the user may have."""
    file = secrets.file(owner=int(UID))
    run = f"{HELPER} run --credential=token={file} {' '.join(options)} echo started"
    look = f"{run}; keyctl search @s user token; keyctl rdescribe @s"
    started = stage.start(f"own {UID} deny nothing 1", *AS_UID, "sh", "-c", look)
    assert "not started because of --credential" in started.errors
    assert "Required key not available" in started.errors
    assert started.output == f"keyring;{UID};{UID};3f030000;_ses\n"


def test_a_quota_that_is_used_up(stage: Stage, secrets: Secrets) -> None:
    """There is room for a session keyring, and none for the key."""
    run = (HELPER, "run", "--user=dave", f"--credential=token={secrets.file()}", "echo", "started")
    with quotas.used_up("dave", but=1000):
        refused(stage.start("none", *run), "add_key(user): EDQUOT", "kernel.keys.maxkeys")
    assert stage.start("none", *run).output == "started\n"


def test_nothing_of_it_is_logged(stage: Stage, secrets: Secrets, journal: Journal) -> None:
    good, bad = (f"--credential=token={secrets.file(mode=mode)}" for mode in (0o600, 0o644))
    run = (HELPER, "run", "--debug", "--user=alice")
    assert at_a_client(stage, "none", *run, good, "echo", "220 ready") == (0, "220 ready\n")
    assert at_a_client(stage, "none", *run, bad, "echo", "220 ready") == (125, "")
    assert at_a_client(stage, "none deny EDQUOT add_key", *run, good, "echo") == (125, "")
    texts = [line.text for line in journal.read()]
    assert any("added the key token" in text for text in texts)
    assert any("EDQUOT" in text for text in texts)
    assert "s3cret" not in "".join(texts)


def test_who_is_root_by_a_set_user_id_program(stage: Stage, secrets: Secrets) -> None:
    """The key would be root's: --user makes all ids those of the user."""
    by = ("setpriv", f"--ruid={UID}", f"--rgid={UID}", "--clear-groups")
    options = (f"--credential=token={secrets.file()}", "sh", "-c", READ)
    started = stage.start("none", *by, HELPER, "run", *options)
    refused(started, "the real and the effective user id differ", "name the user with --user")
    started = stage.start("none", *by, *AS, *options)
    assert started.output == f"user;{UID};{UID};1b010000;token\n{SECRET}"
