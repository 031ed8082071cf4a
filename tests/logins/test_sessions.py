"""`pykeyinit-helper sessions`: real, concurrent logins of several users."""

import re
from pathlib import Path

import pytest
from logins.people import Login, pam_services, stack
from logins.sshd import Sshd

from helper.view import held
from support import world

pytestmark = pytest.mark.privileged

LINE = stack("pam_pykeyinit.so force revoke tag")
SU = ["su", "--shell=/bin/sh", "carol", "-c"]


def test_logins_of_several_users(server: Sshd, scratch: Path) -> None:
    alice, bob, carol = (world.uid(name) for name in ("alice", "bob", "carol"))
    with pam_services(scratch / "pam.d", sshd=LINE, su=LINE):
        people = {alice: [], bob: [], carol: []}  # type: dict[int, list[Login]]
        for name, uid in (("alice", alice), ("bob", bob), ("alice", alice)):
            people[uid].append(server.login(name, scratch))
        people[carol].append(Login(SU, scratch))
        serials = {
            uid: {login("look")["serial"] for login in logins} for uid, logins in people.items()
        }
        found = {uid: held.of(uid, held.told()) for uid in people}
        first, second = people[alice]
        first.leave("left")
        first.logout()
        first.left("left")  # it sees the end of the session, and exits
        later = held.of(alice, held.told())
        for login in (second, *people[bob], *people[carol]):
            login.logout()
    for uid, user in found.items():
        # Revoked ones of earlier tests may wait for the kernel's collector.
        live = [each for each in user["sessions"] if each["state"] == "live"]
        assert {each["serial"] for each in live} == serials[uid]
        for session in live:
            made = session["made"]
            assert (session["name"], session["keys"], session["user_keyring"]) == ("_ses", 2, True)
            assert made["by"] == "pam_pykeyinit"
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["time"])
            assert made["service"] == ("su" if uid == carol else "sshd")
            assert made["rhost"] == (None if uid == carol else "127.0.0.1")
    (last,) = (each["serial"] for each in later["sessions"] if each["state"] == "live")
    assert last in serials[alice]
