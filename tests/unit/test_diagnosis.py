"""What explain advises, apart from the kernel."""

import pytest

from pykeyinit_helper.diagnosis import Case, diagnose


@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        ("user:mail", "keyctl add user mail DATA @u"),
        ("user:my mail", "keyctl add user 'my mail' DATA @u"),
        ("keyring:box", "keyctl newring box @u"),
        ("12345", "add it again, under the same description"),
    ],
)
@pytest.mark.parametrize("state", ["expired", "revoked"])
def test_a_dead_key_is_made_again(state: str, asked: str, mend: str) -> None:
    findings = diagnose(Case(asked=asked, user="alice", serial=7, state=state))
    (dead,) = (finding for finding in findings if finding.code == f"key-{state}")
    assert dead.mend == mend
