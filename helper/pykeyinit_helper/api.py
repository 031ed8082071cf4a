"""The helper's public function, for daemons that are written in Python.

from pykeyinit_helper.api import ensure_session_keyring

keyring = ensure_session_keyring()
print(keyring.serial, keyring.outcome)
"""

from collections.abc import Iterable
from typing import NamedTuple

from pykeyinit_helper import decide, words
from pykeyinit_helper.become import Refused
from pykeyinit_helper.prepare import Preparation

__all__ = ["SessionKeyring", "SessionKeyringError", "ensure_session_keyring"]

_OUTCOMES = {
    decide.LEAVE: "kept",
    decide.JOIN_USER_SESSION: "user-session",
    decide.JOIN_NEW: "new",
    decide.JOIN_NAMED: "named",
    "": "denied",
}


class SessionKeyringError(Exception):
    """`strict` was asked for, and the kernel refused something.  str() says what."""


class SessionKeyring(NamedTuple):
    """What the calling thread has now.

    serial    its serial number, 0 where that could not be found out
    outcome   "kept", "user-session", "new", "named" or "denied"
    messages  a line each for what was in the way, and for what the kernel refused
    """

    serial: int
    outcome: str
    messages: tuple[str, ...]


def ensure_session_keyring(
    session: str = "fallback",
    *,
    link: Iterable[str] | None = None,
    tag: str | None = None,
    strict: bool = False,
) -> SessionKeyring:
    """Give the calling thread a session keyring that belongs to its real user.

    Call it after the daemon has changed its ids and before it starts threads: the session
    keyring belongs to the thread's credentials, and threads and children inherit it.

    session  "fallback" keeps a live one of the user's, else takes the user-session keyring,
             or a new one where another's or a dead one is in the way, and for root;
             "keep", "new", "user-session" or "name=NAME" choose
    link     what to link into it: "user", "user-session", "persistent"; by default what
             pykeyinit-helper(8) says; an empty list for nothing
    tag      a text to leave in it as a small key, at most 1024 characters

    Raises ValueError for a wrong argument; SessionKeyringError with `strict`, and then what
    was done up to there stays done.  Without, a refusal is in `messages`.

    The rules: user-session-keyring(7), session-keyring(7), and join_session_keyring and
    lookup_user_key in the kernel.
    """
    asked = words.Words()
    try:
        words.take(asked, "--session", session)
        if link is not None:
            words.take(asked, "--link", ",".join(link) or "none")
        if tag is not None:
            words.take(asked, "--tag", tag)
    except Refused as refusal:
        raise ValueError(str(refusal)) from None
    preparation = Preparation(asked.session, asked.name, asked.link, asked.tag)
    preparation.run()
    if strict and preparation.refusals:
        raise SessionKeyringError(str(preparation.refusals[0]))
    messages = (*preparation.notices, *map(str, preparation.refusals))
    outcome = _OUTCOMES[preparation.done]
    if preparation.done == decide.LEAVE and preparation.is_user_session():
        outcome = "user-session"
    return SessionKeyring(preparation.serial, outcome, messages)
