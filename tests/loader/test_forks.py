"""Forked children of programs that already had sessions."""

import pytest
from loader.test_hosts import Host

from support import world
from support.drive import Driver
from support.journal import Journal
from support.workshop import workshop

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

STACK = """auth required pam_pykeyinit.so force revoke name=%u-lazy tag link=user,persistent
account required pam_permit.so
session required pam_pykeyinit.so force revoke"""


def test_a_child_imports_what_its_parent_has_not(driver: Driver) -> None:
    """Imports hold a lock; a child must not find it locked forever."""
    for _ in range(5):
        printed = Host(driver, STACK)("pam_pykeyinit.so", "/usr/bin/python3", "lazy.py")
        assert printed == "fine\n"


@pytest.mark.parametrize("others", ["threads", "forks"])
def test_an_import_that_takes_long_is_waited_for(
    others: str, driver: Driver, journal: Journal
) -> None:
    """No other thread, and no forked child, gets a module of which a part has been run."""
    source = (world.ROOT / "pam_pykeyinit/policies/plan.py").read_text()
    slow = source.replace("from errno ", "from time import sleep\nsleep(0.5)\nfrom errno ", 1)
    built = workshop().build({"policies/plan.py": slow})

    host = Host(driver, STACK, built)
    assert host("pam_pykeyinit.so", "/usr/bin/python3", "importing.py", others) == "fine\n"
    assert journal.ours() == []


def test_a_handler_of_a_signal_forks_while_python_runs(faulty: Driver, journal: Journal) -> None:
    """The child returns from the handler, and opens and closes the session."""
    services = faulty.services(s="session required pam_pykeyinit.so force revoke tag")
    script = "start 0 s bob\nopen 0\nend 0\nstart 1 s alice\n"
    (calls,) = faulty.run(services, f"{script}fault 0 0\nopen 1\ncalls\n").hygiene
    number = calls.index("pam_get_item") + 1

    outcome = faulty.run(services, f"{script}signal {number} fork\nopen 1\nclose 1\nend 1\n")
    assert outcome.codes() == [0] * 3
    opened, closed, _ = outcome.steps[-3:]
    assert opened.fields[1] == world.uid("alice")
    assert closed.session == {"error": "EKEYREVOKED"}
    assert journal.ours() == []
