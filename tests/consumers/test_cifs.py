"""cifs-utils: passwords of file servers, in the session keyring, where the kernel finds them."""

from pathlib import Path

import pytest

from consumers import debian, kdc
from consumers.sessions import LOGINS, Opener, Session, Way

pytestmark = pytest.mark.privileged

KEY = "logon cifs:d:EXAMPLE"


def has_key(session: Session) -> bool:
    """Whether the kernel finds the key for a process of this session."""
    return session(f"keyctl search @s {KEY}").status == 0


def test_cifscreds(way: Way, opened: Opener) -> None:
    first, second = opened(way), opened(way)
    added = first.do("cifscreds add -d EXAMPLE -u alice", "secret\n")
    assert "no persistent session keyring" not in added  # it warns if @s is @us
    assert (has_key(first), has_key(second)) == (True, False)
    assert first("cifscreds update -d EXAMPLE -u alice", "changed\n").status == 0
    first.logout(revokes=way.revokes)
    assert has_key(first) == (not way.revokes)
    first("cifscreds clearall")  # for 7.4, Debian 13's, "clear" is ambiguous
    assert not has_key(first)


def stack(line: str, krb5: str, cifs: str, order: str) -> str:
    """A stack that asks for the password, with our line at the place that `order` gives."""
    auth = [f"auth required {krb5} no_ccache minimum_uid=1000", f"auth optional {cifs}"]
    session = [f"session optional {cifs} domain=EXAMPLE"]
    if order == "auth line":
        auth.insert(0, f"auth optional {line}")
    session.insert(0 if order == "session line before" else 1, f"session optional {line}")
    return "\n".join([*auth, "auth required pam_permit.so", "account required pam_permit.so",
                      *session, "session required pam_permit.so", ""])  # fmt: skip


@pytest.mark.parametrize("order", ["session line before", "session line behind", "auth line"])
@pytest.mark.parametrize("way", LOGINS, ids=str)
@pytest.mark.usefixtures("kerberos")
def test_pam_cifscreds(way: Way, order: str, opened: Opener, packages: Path) -> None:
    """Its key is lost if a new session keyring is created after it."""
    krb5, cifs = (debian.pam_module(packages, f"pam_{name}.so") for name in ("krb5", "cifscreds"))
    services = {way.program: stack(way.line, str(krb5), str(cifs), order)}
    session = opened(way, password=kdc.PASSWORD, services=services)
    assert has_key(session) == (order != "session line behind")
