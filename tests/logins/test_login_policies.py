"""Options that pam_keyinit does not have, in real logins: sshd, su, runuser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from logins import sshd
from logins.people import Login, own, pam_services, plain, revoked, stack

from support import world
from support.journal import Journal

pytestmark = pytest.mark.privileged

Seen = dict[str, Any]
WAYS = {
    "su": ["su", "--shell=/bin/sh", "alice", "-c"],
    "runuser-l": ["runuser", "--login", "--shell=/bin/sh", "alice", "-c"],
    "sshd": [],
}
# pam_python.so does not belong in a set-user-ID program.
LOADED = [("su", "native"), ("runuser-l", "native"), ("sshd", "native"), ("sshd", "pam_python")]


def named(links: Seen) -> list[str]:
    """The names of the linked keyrings, without the uids in them."""
    return sorted(link.split(";")[4].rstrip("0123456789") for link in links["links"])


def is_own(inside: Seen, after: Seen) -> None:
    """As without the option."""
    assert (plain(inside), after) == (own("alice"), revoked("alice"))


def lives_on(inside: Seen, after: Seen) -> None:
    """The keyring of a process that stays is not revoked."""
    assert plain(inside) == after == own("alice")


def is_shared(inside: Seen, after: Seen) -> None:
    """It has the name, belongs to one user, and outlives the login."""
    assert inside["description"].endswith(";3f1b0000;login-alice")
    assert after == plain(inside)


def has_links(inside: Seen, after: Seen) -> None:
    """The three of them."""
    assert named(inside) == ["_persistent.", "_uid.", "_uid_ses."]


def has_tag(inside: Seen, after: Seen) -> None:
    """Beside the link."""
    assert named(inside) == ["_uid.", "pam_pykeyinit"]


def is_left_alone(inside: Seen, after: Seen) -> None:
    """No keyring was created: the login has root's, or the kernel's default."""
    assert not inside["description"].endswith(f";{world.uid('alice')};3f030000;_ses")
    assert after == plain(inside)


CASES: list[tuple[str, Callable[[Seen, Seen], None]]] = [
    ("force name=login-%u revoke", is_shared),
    ("force link=user,user-session,persistent", has_links),
    ("force revoke=1h", lives_on),
    ("force revoke=never", lives_on),
    ("force revoke=cred", is_own),  # each of the three deletes the credentials
    ("force revoke minimum_uid=1", is_own),
    ("force revoke minimum_uid=4000000000", is_left_alone),
    ("force revoke ignore_root", is_own),
    ("force revoke on_error=degrade", is_own),
    ("revoke foreign=replace", is_own),
    ("force revoke tag", has_tag),
    ("force revoke refresh", is_own),
    ("force revoke quota_warn=90", is_own),
]


@pytest.mark.parametrize(("way", "module"), LOADED)
@pytest.mark.parametrize(("options", "holds"), CASES, ids=[options for options, _ in CASES])
def test_a_login(
    way: str,
    module: str,
    options: str,
    holds: Callable[[Seen, Seen], None],
    server: sshd.Sshd,
    scratch: Path,
    journal: Journal,
) -> None:
    line = f"{world.LOADERS[module]} {options}"
    with pam_services(scratch / "pam.d", **{way: stack(line, auth=line)}):
        alice = server.login("alice", scratch) if way == "sshd" else Login(WAYS[way], scratch)
        inside = alice("look")
        # A daemon revokes some time after its client has disconnected; so a keyring that must
        # survive is also inspected after that time, as far as possible.
        alice.leave("left", patience=10 if holds in (is_own, has_tag) else 0.2)
        assert alice.logout() == 0
        holds(inside, alice.left("left"))
    assert journal.ours() == []
