"""`adopt`: a shell gets another session keyring, or is told why it cannot."""

import pytest

from helper.conftest import HELPER, PYTHON, Stage, output

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]

ASK = f"{HELPER} explain user:colour"


def test_adopt_mends_a_shell(stage: Stage) -> None:
    script = (
        f"keyctl revoke @s; {ASK}; {HELPER} adopt; keyctl add user colour blue @u >/dev/null;"
        f"{ASK}; {HELPER} adopt"
    )
    printed = output(stage, script, "--session=new", code=0)
    assert "has the new session keyring" in printed
    assert "user:colour can be used" in printed
    assert "Nothing to do: the session keyring" in printed


@pytest.mark.parametrize(
    ("first", "script", "condition"),
    [
        ("own root", f"{HELPER} adopt", "to be replaced, belongs to uid 0"),
        (
            "revoked alice",
            f'{PYTHON[0]} -c "import subprocess, threading, time\n'
            "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
            f"subprocess.run(['{HELPER}', 'adopt'])\"",
            "has 2 threads, and must have 1",
        ),
    ],
)
def test_adopt_says_which_condition_failed(
    stage: Stage, first: str, script: str, condition: str
) -> None:
    assert condition in output(stage, script + "; :", "--session=keep", first=first)
