"""`try`: real PAM sessions, through pamela and python-pam, pam_python.so included."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from pykeyinit_helper.stacks import stack
from support import world

pytestmark = pytest.mark.privileged

PERMIT = "auth required pam_permit.so\naccount required pam_permit.so\n"
STACKS = {
    "c": PERMIT + "session required pam_keyinit.so force revoke\n",
    "ours": PERMIT + "session required pam_python.so pam_pykeyinit.py force revoke\n",
    "nested": PERMIT + "session include {folder}/ours\n",
    "unix": PERMIT.replace("permit", "unix", 1) + "session include {folder}/c\n",
    "denied": PERMIT + "session required pam_deny.so\n",
    "other": "auth required pam_deny.so\n",
}


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """A folder of services."""
    for name, text in STACKS.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path))
    return tmp_path


@pytest.fixture
def _carol_has_a_password() -> Iterator[None]:
    shadow = Path("/etc/shadow")  # this world's
    before = shadow.read_text()
    made = subprocess.run(
        ["perl", "-e", 'print crypt("open sesame", "\\$6\\$salt\\$")'],
        capture_output=True,
        text=True,
    )
    shadow.write_text(before.replace("carol:*:", f"carol:{made.stdout}:"))
    yield
    shadow.write_text(before)


def calls_of(output: str) -> list[str]:
    """The calls of PAM, all of which succeeded."""
    calls = [line for line in output.splitlines() if line.startswith("pam: ")]
    assert all(": 0" in call for call in calls)
    return [call.split(": ")[1] for call in calls]


@pytest.mark.parametrize("service", ["c", "ours", "nested"])
def test_a_session_is_opened_and_closed(stage: Stage, services: Path, service: str) -> None:
    started = stage.start("none", HELPER, "try", service, "carol", "--confdir", str(services))
    assert (started.code, started.errors) == (0, "")
    first, second = started.output.split("\nopen_session, then setcred, as login does:\n")
    uid = world.uid("carol")
    assert "\nsetcred, then open_session, as su, sshd, cron and gdm do:\n" in first
    for part in (first, second):
        before, inside = part.split("Before, as carol:")[1].split("Inside, as carol:")
        inside, after = inside.split("After, as carol:")
        assert "the user-session keyring stands in" in before
        assert "keyring: _ses" in inside
        assert f"\\_ keyring: _uid.{uid}" in inside
        assert "Verdict: good: a session keyring of carol's own, " in after
        assert "the session keyring is revoked" in after
        assert "Missing" not in after
    assert calls_of(first) == [
        "setcred ESTABLISH", "open_session", "close_session", "setcred DELETE", "end",
    ]  # fmt: skip
    assert calls_of(second) == ["open_session", "setcred ESTABLISH", "close_session", "end"]
    assert ("loads pam_python.so" in started.output) == (service != "c")


APART = ("keyctl", "session", "-")  # what is lost must not be in root's user-session keyring
TICKET = f"ticket{os.getpid()}"  # other worlds share root's keyrings
STORES = """
#include <keyutils.h>
int pam_sm_authenticate(void *h, int f, int n, const char **v) { return 0; }
int pam_sm_setcred(void *h, int flags, int n, const char **v)
{
    if (flags & 2) /* PAM_ESTABLISH_CRED */
        add_key("user", TICKET, "x", 1, keyctl_get_keyring_ID(KEY_SPEC_SESSION_KEYRING, 0));
    return 0;
}
"""


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    """A module that stores a key at setcred, as pam_krb5 does."""
    module = tmp_path / "pam_stores.so"
    command = ["gcc", "-shared", "-fPIC", f'-DTICKET="{TICKET}"', "-x", "c", "-"]
    command += ["-o", str(module), "-lkeyutils"]
    subprocess.run(command, input=STORES, text=True, check=True)
    return module


@pytest.mark.parametrize("keyring", ["pam_keyinit.so", "pam_pykeyinit.so"])
def test_a_key_that_is_stored_at_setcred(
    stage: Stage, services: Path, stores: Path, keyring: str
) -> None:
    """linux-pam#149: lost in a program that calls setcred first, with no auth line before it."""
    line = f"optional {keyring} force revoke\n"
    auth = f"auth required {stores}\n"
    (services / "lost").write_text(auth + f"session {line}")
    (services / "found").write_text(f"auth {line}{auth}session {line}")
    folder = ("--confdir", str(services))
    lost = stage.start("none", *APART, HELPER, "try", "lost", "carol", *folder)
    first, second = lost.output.split("\nopen_session, then setcred")
    assert lost.code == 1
    assert f"Verdict: wrong: the key user:{TICKET}, which a module stored at setcred," in first
    assert "Verdict: good" in second
    found = stage.start("none", *APART, HELPER, "try", "found", "carol", *folder)
    assert (found.code, found.output.count("Verdict: good")) == (0, 2), found.output
    (services / "behind").write_text(f"{auth}auth {line}session {line}")  # in the same call
    behind = stage.start("none", *APART, HELPER, "try", "behind", "carol", *folder)
    first, second = behind.output.split("\nopen_session, then setcred")
    assert behind.code == 1
    assert f"Verdict: wrong: the key user:{TICKET}, which a module stored at setcred," in first
    assert "Verdict: good" in second


def test_what_was_stored_is_taken_back(services: Path, stores: Path) -> None:
    """Afterwards the caller's keyring is as before: no ticket of another user stays in it."""
    line = "session optional pam_pykeyinit.so force revoke\n"
    (services / "lost").write_text(f"auth required {stores}\n{line}")
    wrong = f"grep -c 'wrong: the key user:{TICKET}'"
    tried = f"{HELPER} try lost carol --confdir {services} | {wrong}"
    search = f"keyctl search @s user {TICKET} 2>&1; keyctl search @s keyring {TICKET}"
    script = f"keyctl newring {TICKET} @s >&2; {tried}; {search}"
    start = ["keyctl", "session", "-", "sh", "-c", script]
    done = subprocess.run(start, capture_output=True, text=True)
    lost, theirs, mine = done.stdout.splitlines()
    assert (lost, theirs) == ("1", "keyctl_search: Required key not available"), done.stderr
    assert mine.isdecimal()


@pytest.mark.parametrize(
    "session",
    [
        "required pam_permit.so\n",
        "sufficient pam_permit.so\nsession optional pam_pykeyinit.so force\n",
        "optional pam_pykeyinit.so ignore_root minimum_uid=4000000000 force\n",
    ],
)
def test_a_stack_that_makes_no_keyring(stage: Stage, services: Path, session: str) -> None:
    (services / "none").write_text(PERMIT + f"session {session}")
    folder = ("--confdir", str(services))
    started = stage.start("none", HELPER, "try", "none", "carol", *folder)
    assert started.code == 1
    assert started.output.count("Verdict: wrong: no session keyring was made") == 2
    assert started.output.count("\n    the session keyring is none of its own\n") == 2


def test_a_key_of_the_callers_is_not_one_that_was_lost(stage: Stage, services: Path) -> None:
    trial = f"{HELPER} try c carol --confdir {services}"
    script = f"keyctl add user callers x @s >/dev/null; exec {trial}"
    started = stage.start("none", "keyctl", "session", "-", "sh", "-c", script)
    assert (started.code, started.output.count("Verdict: good")) == (0, 2), started.output


def test_the_keyring_of_the_caller_is_none_of_its_own(stage: Stage, services: Path) -> None:
    """Without `force` an existing keyring is kept: cron's jobs would share root's."""
    (services / "mild").write_text(PERMIT + "session optional pam_pykeyinit.so revoke\n")
    started = stage.start(
        "none",
        "keyctl",
        "session",
        "-",
        HELPER,
        "try",
        "mild",
        "carol",
        "--confdir",
        str(services),
    )
    assert started.code == 1
    assert "no session keyring was made: carol has that of the caller" in started.output


def test_a_service_that_is_not_there_is_said(stage: Stage, services: Path) -> None:
    folder = ("--confdir", str(services))
    said = f'There is no {services}/sshdd: libpam uses "other" in its place.\n'
    assert said in stage.start("none", HELPER, "try", "SSHDD", "carol", *folder).output
    assert "There is no" not in stage.start("none", HELPER, "try", "C", "carol", *folder).output


def test_what_pam_refuses_is_shown(stage: Stage, services: Path) -> None:
    started = stage.start("none", HELPER, "try", "denied", "carol", "--confdir", str(services))
    assert started.code == 1
    assert "pam: open_session: 14 " in started.output


@pytest.mark.usefixtures("_carol_has_a_password")
@pytest.mark.parametrize(("password", "code"), [("open sesame", 0), ("wrong", 1), ("", 1)])
def test_a_password_from_a_descriptor(
    stage: Stage, services: Path, password: str, code: int
) -> None:
    command = [HELPER, "try", "unix", "carol", "--confdir", str(services), "--password-fd", "0"]
    done = subprocess.run(
        stage.command("none", *command), input=f"{password}\n", capture_output=True, text=True
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    assert f"pam: authenticate, acct_mgmt: {0 if code == 0 else 7} " in done.stdout
    assert "sesame" not in done.stdout + done.stderr


def test_a_module_that_crashes_is_reported(stage: Stage, services: Path, tmp_path: Path) -> None:
    source, module = tmp_path / "crash.c", tmp_path / "pam_crash.so"
    source.write_text("int pam_sm_open_session(void *h) { (void)h; return *(volatile int *)0; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", module, source], check=True)
    (services / "crash").write_text(f"session required {module}\n")
    started = stage.start("none", HELPER, "try", "crash", "carol", "--confdir", str(services))
    assert started.code == 1
    assert "killed by signal 11: a module crashed it" in started.errors


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (["c", "nobody-here"], "unknown user"),
        (["nothing", "carol", "--confdir", "/nonexistent"], "cannot read service"),
        (["c", "carol", "--password"], "needs a terminal"),
        (["c", "carol", "--password-fd", "77"], "descriptor 77"),
        (["c"], "required: USER"),
    ],
)
def test_bad_input(stage: Stage, services: Path, arguments: list[str], say: str) -> None:
    if "--confdir" not in arguments:
        arguments = [*arguments, "--confdir", str(services)]
    started = stage.start("none", HELPER, "try", *arguments)
    assert (started.code, started.errors.count("\n")) == (125, 1), started.errors
    assert say in started.errors


def test_an_ordinary_user_cannot_try_another(stage: Stage, services: Path) -> None:
    command = (HELPER, "run", "--user=bob", HELPER, "try", "c", "carol")
    started = stage.start("none", *command)
    assert started.code == 125
    assert "only root" in started.errors


def test_the_stack_is_read_with_its_includes(tmp_path: Path) -> None:
    (tmp_path / "top").write_text(
        "# pam_python.so in a comment\n@include common\n-session optional pam_a.so\n"
        "session [success=1 default=ignore] \\\n pam_b.so\nauth substack deep\n"
        "session include missing\nauth include top\nnonsense\n\n"
    )
    (tmp_path / "common").write_text("auth\trequired\tpam_c.so nullok\n")
    (tmp_path / "deep").write_text("auth sufficient /lib/security/pam_python.so x.py\n")
    found = stack.modules("TOP", tmp_path)
    assert found == ["pam_c.so", "pam_a.so", "pam_b.so", "/lib/security/pam_python.so"]
    assert stack.loads_pam_python(found)
    (tmp_path / "other").write_text("auth required pam_deny.so\n")
    assert stack.modules("none-such", tmp_path) == ["pam_deny.so"]
