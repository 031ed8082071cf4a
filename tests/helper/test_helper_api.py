"""ensure_session_keyring, as a daemon in Python calls it, and the pure table below it."""

import itertools
import json
from typing import Any

import pytest

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
        ("none", "fallback", "user-session", 0),
        ("own alice", "fallback", "kept", 0),
        ("own root", "fallback", "new", 1),
        ("revoked alice", "fallback", "new", 1),
        ("own alice", "new", "new", 0),
        ("own alice", "user-session", "user-session", 0),
        ("own root", "name=api", "named", 1),
        ("own root", "keep", "kept", 1),
        ("own root deny EDQUOT 1", "fallback", "denied", 1),
        ("own root deny ENOSYS any", "fallback", "denied", 1),
    ],
)
def test_outcomes(stage: Stage, first: str, session: str, outcome: str, messages: int) -> None:
    _, said, lines = call(stage, first, session)
    assert (said, len(lines)) == (outcome, messages), lines


@pytest.mark.privileged
def test_errors(stage: Stage) -> None:
    strict = call(stage, "own root deny EDQUOT 1", strict=True)
    assert strict[0] == "SessionKeyringError"
    assert "EDQUOT" in strict[1]
    for arguments, options in (
        (("mine",), {}), (("name=",), {}), ((), {"link": ["all"]}), ((), {"tag": ""}),
    ):  # fmt: skip
        assert call(stage, "none", *arguments, **options)[0] == "ValueError"


def test_the_table_is_whole() -> None:
    """Each cell has an action, and root alone differs, in one of them."""
    actions = (decide.LEAVE, decide.JOIN_NEW, decide.JOIN_NAMED, decide.JOIN_USER_SESSION)
    differs = []
    for found, asked in itertools.product(decide.FOUND, decide.ASKED):
        root, user = (decide.action(found, asked, uid) for uid in (0, 1000))
        assert user in actions
        if root != user:
            differs.append((found, asked, root))
    assert differs == [(decide.USER_SESSION, decide.FALLBACK, decide.JOIN_NEW)]


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
