"""ensure_session_keyring, as a daemon in Python calls it, and the pure table below it."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import pam_pykeyinit
import pykeyinit_helper
from helper.conftest import Stage
from pykeyinit_helper import decide

CALL = """
import json, sys
from pykeyinit_helper.api import *
try:
    print(json.dumps(ensure_session_keyring(*eval(sys.argv[1]), **eval(sys.argv[2]))))
except (ValueError, SessionKeyringError) as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def call(stage: Stage, first: str, *arguments: object, **options: object) -> list[Any]:
    as_alice = ("setpriv", "--reuid=alice", "--regid=alice", "--clear-groups")
    program = ("/usr/bin/python3", "-I", "-c", CALL, repr(arguments), repr(options))
    read: list[Any] = json.loads(stage.start(first, *as_alice, *program).output)
    return read


@pytest.mark.privileged
@pytest.mark.parametrize(
    ("first", "session", "outcome", "messages"),
    [
        ("none", "fallback", "new", 0),
        ("own alice", "fallback", "kept", 0),
        ("own root", "fallback", "new", 1),
        ("revoked alice", "fallback", "new", 1),
        ("own alice", "new", "new", 0),
        ("own alice", "user-session", "user-session", 0),
        ("own root", "name=api", "named", 1),
        ("own root", "keep", "kept", 1),
        ("us alice deny EDQUOT 1", "fallback", "user-session", 1),
        ("own alice deny EDQUOT 1", "new", "denied", 1),
        ("own root deny ENOSYS any", "fallback", "denied", 1),
    ],
)
def test_outcomes(stage: Stage, first: str, session: str, outcome: str, messages: int) -> None:
    _, said, lines = call(stage, first, session)
    assert (said, len(lines)) == (outcome, messages), lines


@pytest.mark.privileged
def test_errors(stage: Stage) -> None:
    strict = call(stage, "us alice deny EDQUOT 1", strict=True)
    assert strict[0] == "SessionKeyringError"
    assert "EDQUOT" in strict[1]
    foreign = call(stage, "own root deny EDQUOT 1")
    assert foreign[0] == "SessionKeyringError"
    assert "of uid 0 cannot be left" in foreign[1]


def test_the_table_is_whole() -> None:
    """Each cell has an action; only the user's own keyring, or @us, is kept by default."""
    actions = (decide.LEAVE, decide.JOIN_NEW, decide.JOIN_NAMED, decide.JOIN_USER_SESSION)
    kept = []
    for found, asked in itertools.product(decide.FOUND, decide.ASKED):
        action = decide.action(found, asked)
        assert action in actions
        if action == decide.LEAVE and asked != decide.KEEP:
            kept.append((found, asked))
    assert kept == [
        (decide.USER_SESSION, decide.USER_SESSION),
        (decide.OWN, decide.FALLBACK),
    ]


@pytest.mark.parametrize(
    ("description", "state"),
    [
        (("keyring", 1000, "_ses"), decide.OWN),
        (("keyring", 1000, "_uid_ses.1000"), decide.USER_SESSION),
        (("keyring", 1000, "_uid_ses.0"), decide.OWN),
        (("keyring", 0, "_uid_ses.0"), decide.FOREIGN),
        (("user", 1000, "_ses"), decide.FOREIGN),
    ],
)
def test_what_a_keyring_is_to_a_user(description: tuple[str, int, str], state: str) -> None:
    assert decide.state(*description, 1000) == state


@pytest.mark.privileged
@pytest.mark.parametrize(
    ("arguments", "options", "own"),
    [
        (("mine",), {}, "session must be"),
        ((3,), {}, "session must be"),
        ((None,), {}, "session must be"),
        ((b"new",), {}, "session must be"),
        (("named",), {}, "session must be"),
        (("name=",), {}, "session: the NAME"),
        (("name=_ses",), {}, "session: such names are reserved"),
        ((), {"link": "user"}, "link must be a list"),
        ((), {"link": 3}, "link must be a list"),
        ((), {"link": ["all"]}, "link may have"),
        ((), {"link": [3, []]}, "link may have"),
        ((), {"tag": ""}, "tag must be"),
        ((), {"tag": b"x"}, "tag must be"),
        ((), {"tag": "a\nb"}, "tag must be"),
        ((), {"tag": "x" * 1025}, "tag must be"),
    ],
)
def test_a_wrong_argument_is_a_value_error_in_words_of_the_api(
    stage: Stage, arguments: tuple[object, ...], options: dict[str, object], own: str
) -> None:
    kind, said = call(stage, "none", *arguments, **options)
    assert kind == "ValueError"
    assert said.startswith(own)
    assert "--" not in said
    assert len(said) < 200


@pytest.mark.privileged
def test_in_a_thread_it_says_that_the_others_have_another_one(stage: Stage) -> None:
    script = (
        "import threading\n"
        "from pykeyinit_helper.api import ensure_session_keyring as ensure\n"
        "from pam_pykeyinit.kernel import syscalls\n"
        "said = []\n"
        "thread = threading.Thread(target=lambda: said.append(ensure('new')))\n"
        "thread.start(); thread.join()\n"
        "assert said[0].serial != syscalls.get_keyring_id(-3)\n"
        "print(said[0].messages)\n"
    )
    started = stage.start("own alice", "/usr/bin/python3", "-Ic", script)
    assert "only this thread has it" in started.output, started.errors


@pytest.mark.privileged
def test_the_package_is_a_program_has_a_version_and_is_typed(stage: Stage) -> None:
    python = ("/usr/bin/python3", "-I")
    started = stage.start("none", *python, "-m", "pykeyinit_helper", "--version")
    first = started.output.partition("\n")[0]
    assert first == f"pykeyinit-helper {pykeyinit_helper.__version__}"
    run = stage.start("none", *python, "-m", "pykeyinit_helper", "run", "sh", "-c", "exit 7")
    assert (run.code, run.errors) == (7, "")
    for package in (pam_pykeyinit, pykeyinit_helper):
        assert Path(str(package.__file__)).with_name("py.typed").exists()
