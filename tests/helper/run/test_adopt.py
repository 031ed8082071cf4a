"""`adopt`: a shell gets another session keyring, or the reason why it cannot."""

import re
from pathlib import Path

import pytest

from helper.conftest import AS, HELPER, PYTHON, Stage, output

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]

AS_ALICE = ("setpriv", "--reuid=alice", "--regid=alice", "--clear-groups")
ASK = f"{HELPER} explain user:colour"


def test_adopt_mends_a_shell(stage: Stage) -> None:
    script = (
        f"keyctl revoke @s; {ASK}; {HELPER} adopt; keyctl add user colour blue @u >/dev/null;"
        f"{ASK}; {HELPER} adopt"
    )
    printed = output(stage, script, "--session=new", code=0)
    assert "has the new session keyring" in printed
    assert re.search(r"Found through it: (@us and )?@u\.", printed)
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


@pytest.mark.parametrize("error", ["EDQUOT", "EPERM"])
def test_adopt_claims_only_what_it_has_seen(stage: Stage, error: str) -> None:
    """The new session keyring is created, and no keyring can be linked into it."""
    link = "8"
    script = f"{HELPER} adopt; echo status $?; keyctl list @s"
    started = stage.start(f"revoked alice deny {error} {link}", *AS_ALICE, "sh", "-c", script)
    assert "has the new session keyring" in started.output, started.errors
    assert "The user keyring (@u) is not found through it." in started.output
    assert error in started.output
    assert "status 1\nkeyring is empty\n" in started.output
    assert "Found through it" not in started.output


def test_adopt_tells_what_to_do_instead(stage: Stage, shared: str) -> None:
    """The printed command is pasted, and the shell that it starts has its own session keyring."""
    command = f"{HELPER} adopt >{shared}; sed -n 's/^To mend it: //p' {shared}"
    paste = f'PATH=/usr/local/bin:$PATH; mend=$({command}); eval "$mend"'
    ask = f"{ASK}; echo status $?\n"
    started = stage.start(
        "own root", *AS, "--session=keep", "sh", "-c",
        f"keyctl add user colour blue @u >/dev/null; {paste}", input=ask.encode(),
    )  # fmt: skip
    assert "to be replaced, belongs to uid 0." in Path(shared).read_text()
    assert started.output.endswith("status 0\n"), (started.output, started.errors)
