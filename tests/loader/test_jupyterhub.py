"""JupyterHub, which opens a PAM session for each server that it starts; see docs/jupyterhub.md."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loader import jupyterhub
from logins.people import own, plain, revoked

from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

STACK = """auth required pam_permit.so
account required pam_permit.so
session required pam_pykeyinit.so force revoke debug"""
HELPER = "/usr/local/bin/pykeyinit-helper run --revoke-on-exit --"
NAMES = {HELPER: "helper", "": "bare"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hub's packages."""
    return jupyterhub.unpacked(tmp_path_factory.mktemp("packages"))


class Visit:
    """Alice and Bob log in, alice's server is stopped, then bob's; a process stays of each."""

    def __init__(self, hub: jupyterhub.Hub) -> None:
        alice, bob = hub.login("alice"), hub.login("bob")
        self.alice, self.bob = alice.ask("look"), bob.ask("look")
        alice.ask("leave")
        bob.ask("leave")
        alice.stop()
        self.alice_after = hub.left_by("alice")
        self.bob_meanwhile = bob.ask("look")
        bob.stop()
        self.bob_after = hub.left_by("bob")
        self.hub = hub.seen()


@pytest.fixture
def visit(
    request: pytest.FixtureRequest, packages: Path, driver: Driver, journal: Journal
) -> Iterator[Visit]:
    """What two users of a hub see, with something in front of the command of their servers."""
    services = driver.services(jupyterhub=STACK)
    hub = jupyterhub.Hub(packages, services, driver.scratch, request.param)
    try:
        yield Visit(hub)
    finally:
        hub.stop()


@pytest.mark.parametrize("visit", [HELPER], indirect=True, ids=NAMES.get)
def test_by_way_of_the_helper_each_server_has_a_session_keyring(visit: Visit) -> None:
    assert plain(visit.alice) == own("alice")
    assert plain(visit.bob) == own("bob")
    assert visit.alice_after == revoked("alice")
    assert visit.bob_meanwhile == visit.bob
    assert visit.bob_after == revoked("bob")


@pytest.mark.parametrize("visit", [HELPER, ""], indirect=True, ids=NAMES.get)
def test_the_hub_keeps_its_own_session_keyring(visit: Visit) -> None:
    """It has looked before each start and after each stop."""
    assert len(visit.hub) == 4
    assert all(seen == visit.hub[0] for seen in visit.hub)
    assert visit.hub[0]["ids"] == [0] * 6
    assert "serial" in visit.hub[0]


@pytest.mark.parametrize("visit", [""], indirect=True, ids=NAMES.get)
def test_otherwise_a_server_has_the_hubs(visit: Visit, journal: Journal) -> None:
    """The hub opens the session in a thread of its own, and starts the server in another.

    It closes it through another PAM handle, which has nothing to revoke.
    """
    hubs = visit.hub[0]["serial"]
    assert visit.alice["serial"] == visit.bob["serial"] == hubs
    assert visit.alice_after == visit.alice

    said = [line.text.split("): ")[1] for line in journal.ours()]
    made = [text.split()[-1] for text in said if text.startswith("joined")]
    assert len(set(made)) == 2
    assert str(hubs) not in made
    assert said[-2:] == ["close, -1 left, session keyring 0"] * 2
    assert not [text for text in said if text.startswith("revoked")]
