"""Judge a trial session.  Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

Message = dict[str, Any]


class Verdict(NamedTuple):
    """One line, and whether the session was good."""

    good: bool
    text: str


def judge(user: str, seen: Sequence[Message]) -> Verdict:
    """The verdict on all messages of one session (see trial.messages)."""
    wrong = [text for message in seen if (text := _failure(message))]
    looks = {message["when"]: message for message in seen if "when" in message}
    if not wrong and "inside" in looks:
        wrong = _of_keyrings(user, looks["before"], looks["inside"], seen)
    if wrong:
        return Verdict(good=False, text="; ".join(wrong))
    made = looks["inside"]["session"]
    after = next((message["after"] for message in seen if "after" in message), "")
    return Verdict(
        good=True, text=f"a session keyring of {user}'s own, {made}; {after} afterwards"
    )


def _failure(message: Message) -> str:
    if message.get("code", 0) != 0:
        return f"{message['call']} gives {message['code']} ({message['text']})"
    if "killed" in message:
        return f"the process that called PAM was killed by signal {message['killed']}"
    return "the process that called PAM failed" if "status" in message else ""


def _of_keyrings(
    user: str, before: Message, inside: Message, seen: Sequence[Message]
) -> list[str]:
    wrong = []
    if not isinstance(inside["session"], int) or inside["stand_in"]:
        wrong.append("no session keyring was made")
    elif inside["session"] == before["session"]:
        wrong.append(f"no session keyring was made: {user} has that of the caller")
    elif inside["owner"] != user:
        wrong.append(f"the session keyring is {inside['owner']}'s, not {user}'s")
    stored = [message["stored"] for message in seen if "stored" in message]
    new = {serial: name for keys in stored[1:] for serial, name in keys.items()}
    for serial, name in new.items():
        if serial not in stored[0] and int(serial) not in inside["keys"]:
            wrong.append(
                f"the key {name}, which a module stored at setcred, is lost: put a line of ours "
                "before it into the auth part; see EXAMPLES in pam_pykeyinit(8)"
            )
    return wrong
