"""Kerberos tickets in keyrings: which programs and logins find them, and for how long."""

import subprocess
from pathlib import Path

import pytest

from consumers import debian, kdc
from consumers.sessions import LOGINS, Opener, Session, Way
from helper.conftest import HELPER
from support import world

pytestmark = pytest.mark.privileged

PRINCIPAL = f"{kdc.USER}@{kdc.REALM}"
FOUND, NOT_FOUND, REVOKED = "found", "not found", "revoked"


def table() -> dict[str, list[str]]:
    """The table of docs/consumers.md: the visibility of each credential cache, in four places."""
    text = (world.ROOT / "docs/consumers.md").read_text()
    uid = str(world.uid(kdc.USER))
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    return {row[0].replace("UID", uid): row[1:] for row in rows if row[0].startswith("KEYRING:")}


def cache_of(kind: str) -> str:
    """The cache of a kind in that place: "session", "persistent", "user"."""
    (found,) = (name for name in table() if name.startswith(f"KEYRING:{kind}:"))
    return found


def sees(session: Session, cache: str, before: str = "") -> str:
    """What a new process of a session finds in a credential cache."""
    seen = session(f"KRB5CCNAME={cache} {before} klist")
    if f"Default principal: {PRINCIPAL}" in seen.output and "krbtgt/" in seen.output:
        return FOUND
    assert seen.status != 0
    if "Key has been revoked" in seen.output:
        return REVOKED
    assert "not found" in seen.output or "No credentials cache" in seen.output, seen
    return NOT_FOUND


@pytest.mark.usefixtures("kerberos")
def test_how_far_a_ticket_reaches(way: Way, opened: Opener) -> None:
    """As the table says; but a key that is not revoked may still be found after the end."""
    first, second = opened(way), opened(way)
    seen: dict[str, list[str]] = {}
    for cache in table():
        first.do(f"KRB5CCNAME={cache} kinit {kdc.USER}", kdc.PASSWORD + "\n")
        seen[cache] = [sees(first, cache), sees(second, cache)]
    first.logout(revokes=way.revokes)
    later = opened(way)
    for cache in table():
        seen[cache] += [sees(first, cache), sees(later, cache)]
    documented = table()
    if not way.revokes:
        for places in documented.values():
            places[2] = FOUND if places[2] == REVOKED else places[2]
    assert len(documented) == 5
    assert seen == documented


@pytest.mark.usefixtures("kerberos")
def test_a_name_in_the_user_keyring_is_taken_for_the_sessions(way: Way, opened: Opener) -> None:
    """The user keyring is searched through the session keyring, so a name there is found first."""
    first, second = opened(way), opened(way)
    first.do(f"KRB5CCNAME={cache_of('user')} kinit {kdc.USER}", kdc.PASSWORD + "\n")
    same_name = cache_of("user").replace("user", "session")
    assert [sees(first, same_name), sees(second, same_name)] == [FOUND, FOUND]


@pytest.mark.usefixtures("kerberos")
def test_persistent_and_user_caches_need_no_session_keyring(opened: Opener) -> None:
    """A session keyring that keyctl(1) creates is empty."""
    session = opened(Way("run"))
    for kind in ("persistent", "user"):
        session.do(f"KRB5CCNAME={cache_of(kind)} kinit {kdc.USER}", kdc.PASSWORD + "\n")
        assert sees(session, cache_of(kind), "keyctl session -") == FOUND


@pytest.mark.usefixtures("kerberos")
def test_kstart(way: Way, opened: Opener, kerberos: kdc.Kdc, folder: Path) -> None:
    """k5start for a program, k5start -b as a daemon, krenew: with a cache of the session."""
    session = opened(way)
    start = f"k5start -q -f {kerberos.keytab} {kdc.USER}"
    once = session.do(f"{start} -k KEYRING:session:once -- sh -c 'klist && keyctl describe @s'")
    assert PRINCIPAL in once

    renewable = "KEYRING:session:renew"
    get = f"kinit -r 1d -k -t {kerberos.keytab} {kdc.USER}"
    session.do(f"KRB5CCNAME={renewable} {get}")
    renewed = session.do(f"KRB5CCNAME={renewable} krenew -v")
    assert f"renewing credentials for {PRINCIPAL}" in renewed
    assert sees(session, renewable) == FOUND

    cache = "KEYRING:session:start"
    session.do(f"{start} -k {cache} -b -K 60 -p {folder}/k5start.pid")
    try:
        assert sees(session, cache) == FOUND
        session.logout(revokes=way.revokes)
        assert sees(session, cache) == (REVOKED if way.revokes else FOUND)
    finally:  # it keeps running, and has no use after a logout
        assert session(f"kill $(cat {folder}/k5start.pid)").status == 0


PLACES = ("session alone", "auth behind pam_krb5", "auth before pam_krb5")


def stack(line: str, krb5: str, where: str) -> str:
    """A stack that asks for the password, with our line at one of the places."""
    auth = [f"auth required {krb5}"]
    if where != "session alone":
        auth.insert(0 if "before" in where else 1, f"auth optional {line}")
    return "\n".join(
        [*auth, "auth required pam_permit.so", "account required pam_permit.so",
         f"session optional {line}", f"session optional {krb5}", "session required pam_permit.so",
         ""]
    )  # fmt: skip


def has_ticket(session: Session) -> bool:
    """Whether the programs of a login find the ticket that pam_krb5 got."""
    return PRINCIPAL in session("klist").output


@pytest.mark.usefixtures("kerberos")
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("way", LOGINS, ids=str)
def test_pam_krb5(way: Way, where: str, opened: Opener, packages: Path) -> None:
    """For a ticket in the session keyring, our line in auth must come before pam_krb5."""
    module = debian.pam_module(packages, "pam_krb5.so")
    found = {}
    for kind in ("session", "persistent"):
        krb5 = f"{module} ccache={cache_of(kind)} minimum_uid=1000"
        services = {way.program: stack(way.line, krb5, where)}
        found[kind] = has_ticket(opened(way, password=kdc.PASSWORD, services=services))
    assert found == {"session": where == "auth before pam_krb5", "persistent": True}


@pytest.mark.usefixtures("kerberos")
@pytest.mark.parametrize("where", PLACES)
def test_what_try_says_of_it(
    where: str, packages: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """A real ticket is lost in a program that calls pam_setcred(3) first; not in login's order."""
    module = debian.pam_module(packages, "pam_krb5.so")
    krb5 = f"{module} ccache={cache_of('session')} minimum_uid=1000"
    (tmp_path / "svc").write_text(stack("pam_pykeyinit.so force revoke", krb5, where))
    apart = ["keyctl", "session", "-"]  # a lost ticket must not be in root's user-session keyring
    command = [*apart, HELPER, "try", "svc", kdc.USER, "--confdir", str(tmp_path)]
    command += ["--password-fd", "0"]
    done = subprocess.run(
        command, input=f"{kdc.PASSWORD}\n", capture_output=True, text=True, env=environment
    )
    verdicts = [row.split(": ")[1] for row in done.stdout.splitlines() if "Verdict: " in row]
    kept = where == "auth before pam_krb5"
    assert verdicts == ["good" if kept else "wrong", "good"], done.stdout + done.stderr
    assert done.returncode == (0 if kept else 1)
