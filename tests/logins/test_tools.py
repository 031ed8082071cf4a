"""Logins through su and runuser, compared with pam_keyinit."""

from pathlib import Path
from typing import Any

import pytest
from logins.people import Login, own, pam_services, plain, revoked, stack

from support import world
from support.journal import Journal

pytestmark = pytest.mark.privileged

TOOLS = {
    "su": ["su", "--shell=/bin/sh", "alice", "-c"],
    "su-l": ["su", "--login", "--shell=/bin/sh", "alice", "-c"],
    "runuser": ["runuser", "--shell=/bin/sh", "alice", "-c"],
    "runuser-l": ["runuser", "--login", "--shell=/bin/sh", "alice", "-c"],
}


def login(tool: str, pam: str, scratch: Path) -> list[dict[str, Any]]:
    """The state inside a login, and the state of its keyring afterwards."""
    with pam_services(scratch / "pam.d", **{tool: pam}):
        person = Login(TOOLS[tool], scratch)
        inside = person("look")
        person.leave("left")
        assert person.logout() == 0
        return [plain(inside), person.left("left")]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_login(tool: str, loader: str, scratch: Path, journal: Journal) -> None:
    assert login(tool, stack(f"{loader} force revoke"), scratch) == [
        own("alice"),
        revoked("alice"),
    ]
    assert journal.ours() == []


@pytest.mark.parametrize("tool", TOOLS)
def test_a_login_of_pam_keyinit(tool: str, scratch: Path) -> None:
    line = f"{world.ORACLE} force revoke"
    assert login(tool, stack(line), scratch) == [own("alice"), revoked("alice")]


@pytest.mark.parametrize("options", ["", "force", "revoke"])
def test_other_options_as_pam_keyinit(options: str, loader: str, scratch: Path) -> None:
    seen: list[list[dict[str, Any]]] = []
    for module in (loader, world.ORACLE):
        folder = scratch / str(len(seen))
        folder.mkdir()
        folder.chmod(0o1777)
        seen.append(login("su", stack(f"{module} {options}"), folder))
    assert seen[0] == seen[1]
    assert ("error" in seen[0][1]) == (options == "revoke")
