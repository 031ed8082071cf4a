"""Session keyrings with a name: shared by the logins of one user only."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pam_pykeyinit import user
from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.module import Handle
from pam_pykeyinit.policies import lock, naming
from policies.conftest import Run
from policies.squatter import become, squatting
from support import world
from support.child import in_child
from support.drive import Driver
from support.journal import Journal
from support.pamh import Pamh

# They mostly wait: one worker does that for all.
pytestmark = [pytest.mark.privileged, pytest.mark.lengthy, pytest.mark.xdist_group("names")]

ALICE = user.User("alice", 1000, 1100)
OURS = "3f1b0000"  # possessor: all; owner: view, read, search, link


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("%u", "alice"),
        ("%U-%s", "1000-sshd"),
        ("100%%", "100%"),
        ("%%u", "%u"),
        ("%%%u%%", "%alice%"),
        ("a", "a"),
    ],
)
def test_a_template(template: str, name: str) -> None:
    assert naming.expand(template, ALICE, "sshd") == name


def test_what_is_put_into_a_template_is_no_template() -> None:
    assert naming.expand("%u", user.User("%U%s%", 1000, 0), "sshd") == "%U%s%"


@pytest.mark.parametrize(
    "name",
    ["", ".x", "_ses", "_uid.1000", "_uid_ses.1000", "_pid", "_", "a" * 4096, "ä" * 2048],
)
def test_names_that_are_refused(name: str) -> None:
    assert naming.refusal(name)


@pytest.mark.parametrize("name", ["a", "a_ses", "a.b", "-", " ", "a" * 4095, "ä", "\udcff"])
def test_names_that_are_not(name: str) -> None:
    assert naming.refusal(name) == ""


@pytest.mark.parametrize(
    ("kind", "owner", "mask", "word"),
    [
        ("keyring", 1000, 0x3F1B0000, ""),
        ("keyring", 1000, 0x3F3F0000, ""),
        ("keyring", 1001, 0x3F1B0000, "belongs to uid 1001"),
        ("keyring", 0, 0x3F1B0000, "belongs to uid 0"),
        ("user", 1000, 0x3F1B0000, "of uid 1000 is a user"),
        ("keyring", 1000, 0x3F1B0001, "of uid 1000 gives rights to others (3f1b0001)"),
        ("keyring", 1000, 0x3F1B0800, "of uid 1000 gives rights to others (3f1b0800)"),
    ],
)
def test_whose_keyring_is_the_users_alone(kind: str, owner: int, mask: int, word: str) -> None:
    assert naming.objection(kind, owner, mask, 1000) == word


@pytest.mark.parametrize("name", ["", ".hidden", "_ses", "_uid_ses.%U", "%u" * 900])
def test_a_bad_name_gives_a_keyring_without_one(run: Run, name: str, journal: Journal) -> None:
    outcome = run(f"force revoke name={name}", "start 0 s alice\nopen 0\nclose 0\n")
    assert outcome.codes() == [0, 0]
    assert outcome.steps[1].fields[3:] == ("3f030000", "_ses")
    assert outcome.steps[2].session == {"error": "EKEYREVOKED"}  # it is not shared
    (line,) = journal.ours()
    assert line.level == "ERR"
    whole = name.replace("%u", "alice")  # libpam truncates a line, 1.7 does not
    assert f"name={name[:5]}" in line.text or f"name={whole[:9]}" in line.text


def test_the_longest_name(run: Run) -> None:
    name = "%u" + "x" * 4090
    outcome = run(
        f"force name={name}", "start 0 s alice\nopen 0\nend 0\nstart 0 s alice\nopen 0\n"
    )
    assert outcome.steps[1].session["serial"] == outcome.steps[-1].session["serial"]
    assert outcome.steps[1].session["description"] == "too long"  # in the buffer of pamdrive


@pytest.mark.parametrize("options", ["revoke", "revoke=1", "revoke=cred"])
def test_no_login_ends_what_others_share(
    options: str, driver: Driver, loader: str, journal: Journal
) -> None:
    """Two processes: the second finds the keyring of the first, and leaves it alive."""
    name = f"shared-%u-{options}-{os.getpid()}"
    line = f"{loader} force {options} name={name}"
    services = driver.services(s=f"auth required {line}\nsession required {line}")
    opened, left = services / ".opened", services / ".left"  # these are not names of services
    first = f"start 0 s alice\nopen 0\ntouch {opened}\nawait {left}\nsleep 1300\nlook\n"
    second = (
        f"await {opened}\nstart 0 s alice\nestablish 0\nopen 0\nclose 0\ndelete 0\nend 0\n"
        f"touch {left}\n"
    )
    runs = [driver.start(services, script) for script in (first, second)]
    stays, leaves = (run.outcome() for run in runs)

    assert leaves.steps[1].session["serial"] == stays.steps[1].session["serial"]
    assert leaves.steps[1].fields[1] == world.uid("alice")
    assert leaves.steps[1].fields[3:] == (OURS, name.replace("%u", "alice"))
    assert stays.steps[-1].session == stays.steps[1].session
    assert journal.ours() == []


def test_a_shared_keyring_dies_with_its_last_process(driver: Driver, loader: str) -> None:
    services = driver.services(s=f"session required {loader} force revoke name=mortal-%u")
    outcome = driver.run(services, "start 0 s alice\nopen 0\nclose 0\nend 0\n")
    serial = outcome.steps[-1].session["serial"]

    def gone() -> str:
        become("alice")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(syscalls.KernelError):
                keyctl.describe(serial)
                time.sleep(0.05)
                continue
            return "gone"
        return "alive"

    assert in_child(gone) == "gone"


def test_nothing_of_the_process_is_changed_by_it(run: Run, loader: str) -> None:
    """Also if the real ids are the user's already, and only the filesystem uid is switched."""
    alice, group = world.uid("alice"), world.gid("alice")
    name = f"hygiene-{loader[:12].strip('.')}"
    calls = "start 0 s alice\nopen 0\nrefresh 0\nclose 0\nend 0\n"
    for ids in ("0 0 0 0 0 0", f"{alice} 0 0 {group} 0 0"):
        script = f"ids {ids}\nhygiene\n{calls}hygiene\n"
        options = f"force tag refresh link=user,persistent name={name}"
        outcome = run(options, script, LC_ALL="C.UTF-8")  # else pam_python may set LC_CTYPE
        before, after = (
            [line for line in seen if not line.startswith(("SigQ", "locale"))]  # pam_python's
            for seen in outcome.hygiene
        )
        assert after == before
        assert 0 in outcome.codes()


def test_users_of_one_name_share_nothing(run: Run, journal: Journal) -> None:
    script = "start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\nstart 2 s root\nopen 2\n"
    outcome = run("force name=everybody", script)
    opened = [step for step in outcome.steps if step.call == "open"]
    assert [step.fields[1] for step in opened] == [world.uid(u) for u in ("alice", "bob", "root")]
    assert {step.fields[4] for step in opened} == {"everybody"}
    assert len({step.session["serial"] for step in opened}) == 3
    assert journal.ours() == []


def test_without_force_a_session_keyring_in_place_is_kept(run: Run) -> None:
    outcome = run("name=%u-kept", "prep own alice\nstart 0 s alice\nopen 0\n")
    assert outcome.steps[-1].session["serial"] == outcome.steps[0].session["serial"]


def test_a_hundred_logins_at_the_same_instant_are_one_keyring() -> None:
    program = Path(__file__).with_name("parallel.py")
    command = [sys.executable, "-P", str(program), "100", "alice", "force", "name=parallel-%u"]
    run = subprocess.run(
        command,
        env={
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PATH": "/usr/bin:/bin",
            "PAMDRIVE_PATIENCE": os.environ.get("PAMDRIVE_PATIENCE", "1"),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    answers = run.stdout.splitlines()
    assert len(answers) == 100
    assert len(set(answers)) == 1
    assert answers[0].startswith("0 ")


def _open(options: str) -> tuple[object, str]:
    code = Handle().pam_sm_open_session(Pamh("alice"), 0, ["m", "force", *options.split()])
    return code, keyctl.describe(syscalls.SESSION_KEYRING)[4]


@pytest.mark.parametrize("mask", [0o755, 0o720])
def test_a_lock_that_is_not_roots_alone_is_not_used(mask: int, journal: Journal) -> None:
    folder = Path("/run/pam_pykeyinit")
    folder.mkdir(exist_ok=True)
    folder.chmod(mask)
    try:
        assert in_child(lambda: _open(f"name=unlocked{mask}")) == (0, f"unlocked{mask}")
    finally:
        folder.chmod(0o700)
    (line,) = journal.ours()
    assert line.level == "NOTICE"
    file = lock.file_name(world.uid("alice"), f"unlocked{mask}")
    assert f"/run/pam_pykeyinit/{file}: EPERM: of two logins of alice" in line.text


def test_the_lock_follows_no_link(journal: Journal, tmp_path: Path) -> None:
    folder = Path("/run/pam_pykeyinit")
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / lock.file_name(world.uid("alice"), "linked")
    file.unlink(missing_ok=True)
    file.symlink_to(tmp_path / "target")
    try:
        assert in_child(lambda: _open("name=linked")) == (0, "linked")
    finally:
        file.unlink()
    (line,) = journal.ours()
    assert ": ELOOP: " in line.text
    assert not (tmp_path / "target").exists()


def test_a_login_that_stands_still_does_not_stop_others(journal: Journal) -> None:
    """A holder that never continues delays a login by one second, and does not stop it."""
    with _locked(world.uid("alice"), "waiting"):
        assert in_child(lambda: _open("name=waiting")) == (0, "waiting")
    (line,) = journal.ours()
    assert line.level == "NOTICE"
    assert ": EAGAIN: of two logins of alice" in line.text


def test_who_finds_the_keyring_needs_no_turn(journal: Journal) -> None:
    def twice() -> tuple[tuple[object, str], tuple[object, str]]:
        made = _open("name=found")
        with _locked(world.uid("alice"), "found"):
            return made, _open("name=found")

    assert in_child(twice) == ((0, "found"), (0, "found"))
    assert journal.ours() == []


@contextlib.contextmanager
def _locked(uid: int, name: str):  # type: ignore[no-untyped-def]
    folder = Path("/run/pam_pykeyinit")
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / lock.file_name(uid, name)).open("w") as file:
        keyctl.lock(file.fileno())
        yield


def test_a_user_whose_shared_keyring_is_dead_gets_another(
    run: Run, loader: str, journal: Journal
) -> None:
    """An expired keyring is still found by its name."""
    expired = "start 0 s alice\nopen 0\nkeyctl 15 -3 1\nsleep 1300\nstart 1 s alice\nopen 1\n"
    outcome = run(f"force name=dead-{loader[:12]}", expired)
    assert outcome.codes() == [0, 0]
    assert outcome.steps[-1].fields[4] == "_ses"
    assert [line.level for line in journal.ours()] == ["ALERT"]


def test_an_open_one_of_the_users_own_is_left(run: Run, journal: Journal) -> None:
    """Other users may have joined it already."""
    with squatting("alice", f"careless-alice-{os.getpid()}") as serial:
        outcome = run(f"force name=careless-%u-{os.getpid()}", "start 0 s alice\nopen 0\n")
    assert outcome.codes() == [0]
    assert outcome.steps[-1].fields[4] == "_ses"
    (line,) = journal.ours()
    assert line.level == "ALERT"
    alice = world.uid("alice")
    assert f"session keyring {serial} of uid {alice} gives rights to others" in line.text
