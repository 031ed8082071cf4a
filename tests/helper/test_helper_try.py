"""`try`: real PAM sessions, through pamela and python-pam, pam_python.so included."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from pykeyinit_helper import stack
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


@pytest.mark.parametrize("service", ["c", "ours", "nested"])
def test_a_session_is_opened_and_closed(stage: Stage, services: Path, service: str) -> None:
    started = stage.start("none", HELPER, "try", service, "carol", "--confdir", str(services))
    assert (started.code, started.errors) == (0, "")
    before, inside = started.output.split("Before, as carol:")[1].split("Inside, as carol:")
    inside, after = inside.split("After, as carol:")
    uid = world.uid("carol")
    assert "the user-session keyring stands in" in before
    assert "keyring: _ses" in inside
    assert f"\\_ keyring: _uid.{uid}" in inside
    assert "revoked; nothing is found in it" in after
    calls = [line for line in started.output.splitlines() if line.startswith("pam: ")]
    assert [call.split(": ")[1] for call in calls] == [
        "open_session", "setcred ESTABLISH", "setcred DELETE", "close_session", "end",
    ]  # fmt: skip
    assert all(": 0" in call for call in calls)
    assert ("loads pam_python.so" in started.output) == (service != "c")


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
        (["c", "carol", "--password"], "asks on a terminal"),
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
