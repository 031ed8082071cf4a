"""The examples of pam_pykeyinit(8) work: its lines are run unchanged."""

import re

import pytest

from pam_pykeyinit.policies import words
from support import world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

MANUAL = (world.ROOT / "pam_pykeyinit/pam_pykeyinit.8").read_text().replace("\\&", "")
POLICIES = MANUAL[MANUAL.index(".Sh POLICIES") : MANUAL.index(".Sh LOADERS")]
LINES = re.findall(r"^\.Dl (?:session|auth) .*", POLICIES, re.MULTILINE)
STACKS = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", POLICIES, re.MULTILINE | re.DOTALL)
OPTIONS = {*words._VALUES, *words._SWITCHES}


def _option(line: str) -> set[str]:
    return {word.partition("=")[0] for word in line.split() if "=" in word or word in OPTIONS}


def test_every_option_has_a_line_below_its_name() -> None:
    for entry in POLICIES.split("\n.It Ar ")[1:]:
        name = entry.split()[0]
        shown = [_option(line) for line in LINES if line in entry]
        assert shown, name
        assert all(name in words for words in shown), name
    named = {entry.split()[0] for entry in POLICIES.split("\n.It Ar ")[1:]}
    assert named == OPTIONS


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.rpartition(" ")[2])
def test_a_line(line: str, driver: Driver, loader: str, journal: Journal) -> None:
    line = line.removeprefix(".Dl ").replace("pam_pykeyinit.so", loader)
    part, _, rest = line.partition(" ")
    stack = f"{line}\nauth required pam_permit.so\nsession required pam_permit.so"
    assert rest.startswith(("optional ", "required "))
    call = {"session": "open 0", "auth": "establish 0"}[part]
    outcome = driver.run(driver.services(s=stack), f"start 0 s alice\n{call}\n")
    assert outcome.codes() == [0]
    assert outcome.steps[-1].fields[1] == world.uid("alice")
    assert journal.ours() == []


def _with_group(stack: str, group: str) -> str:
    assert "ingroup batch" in stack
    return stack.replace("ingroup batch", f"ingroup {group}")


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_who_is_in_a_group_is_skipped(user: str, driver: Driver, loader: str) -> None:
    stack = _with_group(STACKS[0], "alice").replace("pam_pykeyinit.so", loader)
    outcome = driver.run(
        driver.services(s=f"{stack}session required pam_permit.so"), f"start 0 s {user}\nopen 0\n"
    )
    assert outcome.codes() == [0]
    assert outcome.steps[-1].fields[1] == (0 if user == "alice" else world.uid("bob"))


@pytest.mark.parametrize("service", ["cron", "atd", "sshd"])
def test_a_service_is_skipped(service: str, driver: Driver, loader: str) -> None:
    stack = STACKS[1].replace("pam_pykeyinit.so", loader) + "session required pam_permit.so"
    outcome = driver.run(driver.services(**{service: stack}), f"start 0 {service} alice\nopen 0\n")
    assert outcome.codes() == [0]
    assert outcome.steps[-1].fields[1] == (world.uid("alice") if service == "sshd" else 0)
