"""`force` where Python cannot be used: the caller's session keyring does not stay.

The file with Python is empty here, or a handler is broken (see also test_failures.py).
"""

import errno
from pathlib import Path

import pytest

from pam_pykeyinit.kernel import sysnums
from support import mounts, native, world
from support.drive import Driver, Step
from support.journal import Journal
from support.workshop import workshop

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

OURS = "pam_pykeyinit.so"
SUCCESS, SYSTEM_ERR, SESSION_ERR = 0, 4, 14
EMPTY = "; an empty session keyring replaces the caller's"


@pytest.fixture
def without_python(pamdrive: Path, tmp_path: Path) -> Driver:
    """Drives the module beside an empty file."""
    empty = tmp_path / "empty"
    empty.touch()
    program = mounts.wrapper(tmp_path / "drive", {str(native.interpreter()): empty}, str(pamdrive))
    return Driver(program, tmp_path)


def _opened(options: str, script: str, driver: Driver) -> tuple[Step, Step]:
    """The step before and that of the open, which fails, in a session of bob."""
    services = driver.services(s=f"session required {OURS} {options}")
    *_, before, opened = driver.run(services, f"prep own bob\n{script}\nopen 0\n").steps
    assert opened.code == SESSION_ERR
    assert opened.ids == before.ids
    return before, opened


@pytest.mark.parametrize("options", ["force", "force revoke", "revoke force", "tag force revoke"])
def test_it_gets_out_of_the_way(options: str, without_python: Driver, journal: Journal) -> None:
    """Wherever the word is in the line."""
    before, opened = _opened(options, "start 0 s alice", without_python)

    assert opened.session["serial"] != before.session["serial"]
    assert opened.session["links"] == []
    kind, owner, _, _, name = opened.fields
    assert (kind, owner, name) == ("keyring", world.uid("alice"), "_ses")
    (line,) = journal.ours()
    assert line.text.endswith(EMPTY)


@pytest.mark.parametrize("options", ["", "revoke", "forced", "revoke link=user"])
def test_without_force_it_stays(options: str, without_python: Driver, journal: Journal) -> None:
    before, opened = _opened(options, "start 0 s alice", without_python)

    assert opened.session == before.session
    (line,) = journal.ours()
    assert "; " not in line.text


@pytest.mark.parametrize(
    "script",
    [
        "start 0 s nobody-has-this",
        f"start 0 s alice\nseccomp {sysnums.SETRESUID} {errno.EPERM}",
        f"start 0 s alice\nseccomp {sysnums.SETRESGID} {errno.EPERM}",
    ],
    ids=["unknown", "uid", "gid"],
)
def test_it_is_roots_if_it_cannot_be_the_users(
    script: str, without_python: Driver, journal: Journal
) -> None:
    before, opened = _opened("force", script, without_python)

    assert opened.session["serial"] != before.session["serial"]
    assert opened.session["links"] == []
    assert opened.fields[1] == 0
    (line,) = journal.ours()
    assert line.text.endswith(EMPTY)


STACK = f"auth required {OURS} force revoke\nsession required {OURS} force revoke"


def test_a_keyring_that_may_be_the_handles_own_stays(faulty: Driver, journal: Journal) -> None:
    """libpam does not find the state of the handle, in which setcred has created it."""
    script = f"start 0 s alice\nestablish 0\nfault 1 {SYSTEM_ERR}\nopen 0\ncalls\n"
    outcome = faulty.run(faulty.services(s=STACK), script)

    assert outcome.codes() == [SUCCESS, SESSION_ERR]
    assert outcome.hygiene == [["pam_get_data"]]
    _, established, opened = outcome.steps
    assert opened.session == established.session
    (line,) = journal.ours()
    assert line.text.endswith("pam_sm_open_session: libpam does not keep our state")


def test_the_keyring_of_the_handle_itself_stays(
    pamdrive: Path, tmp_path: Path, journal: Journal
) -> None:
    """An open fails after setcred has created it."""
    source = (world.ROOT / "pam_pykeyinit/module.py").read_text()
    broken = "\nHandle.pam_sm_open_session = lambda *ignored: None\n"
    built = workshop().build({"module.py": source + broken})
    driver = Driver(mounts.wrapper(tmp_path / "drive", built, str(pamdrive)), tmp_path)

    script = "start 0 s alice\nestablish 0\nopen 0\n"
    _, established, opened = driver.run(driver.services(s=STACK), script).steps
    assert (established.code, opened.code) == (SUCCESS, SESSION_ERR)
    assert opened.session == established.session
    assert opened.session["links"] != []
    (logged,) = journal.ours()
    assert logged.text.endswith("('the answer is not a PAM code')")
