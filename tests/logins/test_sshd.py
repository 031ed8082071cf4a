"""Real logins: sshd, unmodified, with our module in its PAM stack."""

from pathlib import Path
from typing import Any

import pytest
from logins import sshd
from logins.people import own, pam_services, plain, revoked, stack

from support import world
from support.journal import Journal

pytestmark = pytest.mark.privileged


@pytest.fixture(params=["session", "auth and session"])
def lines(request: pytest.FixtureRequest, loader: str) -> str:
    """sshd's stack with our module; also with setcred, which sshd calls in two processes."""
    line = f"{loader} force revoke"
    return stack(line, auth=line if "auth" in request.param else "pam_permit.so")


def test_a_login_has_its_own_session_keyring_and_logout_revokes_it(
    server: sshd.Sshd, lines: str, scratch: Path, journal: Journal
) -> None:
    with pam_services(scratch / "pam.d", sshd=lines):
        alice = server.login("alice", scratch)
        assert plain(alice("look")) == own("alice")
        alice.leave("left", patience=10)
        assert alice.logout() == 0
        assert alice.left("left") == revoked("alice")
    assert journal.ours() == []


def test_two_logins_of_one_user_have_two_keyrings_and_share_the_user_keyring(
    server: sshd.Sshd, lines: str, scratch: Path
) -> None:
    with pam_services(scratch / "pam.d", sshd=lines):
        first, second = server.login("alice", scratch), server.login("alice", scratch)
        assert first("look")["serial"] != second("look")["serial"]
        first("add shared from-the-first-login")
        assert second("find shared") == {"value": "from-the-first-login"}
        first.leave("left", patience=10)
        first.logout()
        assert first.left("left") == revoked("alice")
        still = second("look")
        assert "error" not in still  # the end of one does not revoke the other
        assert second("find shared") == {"value": "from-the-first-login"}
        second("drop shared")
        second.logout()


def test_logins_of_two_users_share_nothing(server: sshd.Sshd, lines: str, scratch: Path) -> None:
    with pam_services(scratch / "pam.d", sshd=lines):
        alice, bob = server.login("alice", scratch), server.login("bob", scratch)
        alice("add hers for-alice")
        assert plain(bob("look")) == own("bob")
        assert bob("find hers") == {"value": None}
        bob.logout()
        alice("drop hers")
        alice.logout()


def story(server: sshd.Sshd, module: str, scratch: Path) -> list[dict[str, Any]]:
    """All states of a login, without what differs each time."""
    scratch.mkdir()
    scratch.chmod(0o1777)
    with pam_services(scratch / "pam.d", sshd=stack(f"{module} force revoke")):
        alice = server.login("alice", scratch)
        seen = [plain(alice("look"))]
        alice("add colour green")
        seen.append(alice("find colour"))
        alice("drop colour")
        alice.leave("left", patience=10)
        alice.logout()
        return [*seen, alice.left("left")]


def test_a_login_is_like_pam_keyinits(server: sshd.Sshd, loader: str, scratch: Path) -> None:
    theirs = story(server, world.ORACLE, scratch / "theirs")
    assert story(server, loader, scratch / "ours") == theirs
