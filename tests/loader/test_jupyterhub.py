"""JupyterHub, which opens a PAM session for each server that it starts; see docs/jupyterhub.md."""

from collections.abc import Callable

import pytest
from loader import hubs, jupyterhub
from logins.people import own, plain, revoked

from support.drive import Driver
from support.journal import Journal

# One worker installs them; others would only wait.
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.lengthy,
    pytest.mark.xdist_group("jupyterhub"),
]

STACK = """auth required pam_permit.so
account required pam_permit.so
session optional pam_pykeyinit.so force revoke debug
session required pam_permit.so"""
HELPER = "/usr/local/bin/pykeyinit-helper run --revoke-on-exit --"
BARE = ""


class Visit:
    """Alice and Bob log in, alice's server is stopped, then bob's; each leaves a process."""

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
        self.log = hub.log()


@pytest.fixture(scope="module", params=hubs.HUBS)
def installed(request: pytest.FixtureRequest) -> hubs.Installation:
    """Each JupyterHub in turn."""
    return hubs.HUBS[request.param]()


@pytest.fixture
def visit(installed: hubs.Installation, driver: Driver, journal: Journal) -> Callable[..., Visit]:
    """The state of two users of a hub, with a prefix for the command of their servers."""

    def see(before: str, stack: str = STACK) -> Visit:
        services = driver.services(jupyterhub=stack)
        hub = jupyterhub.Hub(installed, services, driver.scratch, before)
        try:
            return Visit(hub)
        finally:
            hub.stop()

    return see


def hub_keeps_its_own(visit: Visit) -> bool:
    """Whether its session keyring was the same before each start and after each stop."""
    assert len(visit.hub) == 4
    assert visit.hub[0]["ids"] == [0] * 6
    assert "serial" in visit.hub[0]
    return all(seen == visit.hub[0] for seen in visit.hub)


def servers_have_their_own(visit: Visit) -> None:
    """Each has its user's keyring, until it is stopped."""
    assert plain(visit.alice) == own("alice")
    assert plain(visit.bob) == own("bob")
    assert visit.alice_after == revoked("alice")
    assert visit.bob_meanwhile == visit.bob
    assert visit.bob_after == revoked("bob")


def said(journal: Journal) -> list[str]:
    """The log lines of our module."""
    return [line.text.split("): ")[1] for line in journal.ours()]


def test_by_way_of_the_helper_each_server_has_a_session_keyring(
    visit: Callable[..., Visit],
) -> None:
    seen = visit(HELPER)
    servers_have_their_own(seen)
    assert hub_keeps_its_own(seen)
    assert "Disabling PAM sessions" not in seen.log


def test_otherwise_a_server_has_the_hubs(visit: Callable[..., Visit], journal: Journal) -> None:
    """The hub opens the session in a separate thread, and starts the server in another one.

    It closes it through another PAM handle, in any thread of its pool: the keyring is revoked
    where that thread has it.
    """
    seen = visit(BARE)
    hubs_own = seen.hub[0]["serial"]
    assert seen.alice["serial"] == seen.bob["serial"] == hubs_own
    assert seen.alice_after == seen.alice
    assert hub_keeps_its_own(seen)

    texts = said(journal)
    made = [text.split()[-1] for text in texts if text.startswith("joined")]
    assert len(set(made)) == 2
    assert str(hubs_own) not in made
    closed = [text for text in texts if text.startswith("close")]
    left = [text.split()[-1] for text in closed]  # 0 where the thread has another keyring
    assert len(closed) == 2
    assert [f"revoked session keyring {serial}" for serial in left if serial != "0"] == [
        text for text in texts if text.startswith("revoked")
    ]
    assert set(left) <= {"0", *made}


def test_after_a_session_that_failed_there_are_none_any_more(
    visit: Callable[..., Visit], journal: Journal
) -> None:
    """With either module.  The helper as the servers' prefix does not depend on sessions."""
    seen = visit(
        HELPER, STACK.replace("session required pam_permit.so", "session required pam_deny.so")
    )
    assert "Disabling PAM sessions from now on" in seen.log
    assert len([text for text in said(journal) if text.startswith("joined")]) == 1
    servers_have_their_own(seen)
