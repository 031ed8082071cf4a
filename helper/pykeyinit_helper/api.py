"""The helper's public function, for daemons that are written in Python.

from pykeyinit_helper.api import ensure_session_keyring

keyring = ensure_session_keyring()
print(keyring.serial, keyring.outcome)
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pam_pykeyinit.kernel import identity, syscalls
from pykeyinit_helper import decide
from pykeyinit_helper.become import Refused
from pykeyinit_helper.run import words
from pykeyinit_helper.run.prepare import Preparation

__all__ = [
    "Link",
    "Outcome",
    "Session",
    "SessionKeyring",
    "SessionKeyringError",
    "ensure_session_keyring",
]

Session = Literal["fallback", "keep", "new", "user-session"]
Link = Literal["user", "user-session", "persistent"]
Outcome = Literal["kept", "user-session", "new", "named", "denied"]

_OUTCOMES: "dict[str, Outcome]" = {
    decide.LEAVE: "kept",
    decide.JOIN_USER_SESSION: "user-session",
    decide.JOIN_NEW: "new",
    decide.JOIN_NAMED: "named",
    "": "denied",
}


class SessionKeyringError(Exception):
    """The kernel refused a call with `strict`, or another user's keyring could not be left."""


class SessionKeyring(NamedTuple):
    """The session keyring that the calling thread has now.

    serial    its serial number, 0 if that is unknown
    outcome   "kept", "user-session", "new", "named" or "denied"
    messages  a line for each keyring that was replaced, and for each call that was refused
    """

    serial: int
    outcome: Outcome
    messages: tuple[str, ...]


def ensure_session_keyring(
    session: Session | str = "fallback",
    *,
    link: Iterable[Link] | None = None,
    tag: str | None = None,
    strict: bool = False,
) -> SessionKeyring:
    """Give the calling thread a session keyring that belongs to its real user.

    Call it after the daemon has changed its ids and before it starts threads: the session
    keyring belongs to the thread's credentials, and threads and children inherit it.

    session  "fallback" keeps a live session keyring of the user, or creates a new one with the
             user-session keyring linked into it; if the kernel refuses that, it uses the
             user-session keyring.  "keep", "new", "user-session" or "name=NAME" select one.
    link     the keyrings to link into it: "user", "user-session", "persistent"; an empty list
             for none; the default is described in pykeyinit-helper(8)
    tag      a text to add to it as a small key, 1 to 1024 printable characters

    Raises ValueError for a wrong argument, before anything is done.  With `strict`, raises
    SessionKeyringError if the kernel refuses a call; earlier steps are not undone.  Without
    `strict`, a refusal is in `messages`.  Always raises SessionKeyringError if a session keyring
    of another user is in place and cannot be left (except with "keep"): the thread must then not
    use keys.

    The rules: user-session-keyring(7), session-keyring(7), and join_session_keyring and
    lookup_user_key in the kernel.
    """
    name = _session_name(session)
    preparation = Preparation(
        decide.NAMED if name else session, name, _links(link), _checked_tag(tag)
    )
    try:
        preparation.run()
    except (Refused, identity.NotRestored) as failure:
        raise SessionKeyringError(str(failure)) from failure
    if strict and preparation.refusals:
        raise SessionKeyringError(str(preparation.refusals[0]))
    messages = (*preparation.notices, *map(str, preparation.refusals))
    outcome = _OUTCOMES[preparation.done]
    if preparation.done == decide.LEAVE and preparation.is_user_session():
        outcome = "user-session"
    if preparation.done not in (decide.LEAVE, "") and syscalls.has_threads():
        messages += ("only this thread has it: the other threads keep what they had",)
    return SessionKeyring(preparation.serial, outcome, messages)


def _session_name(session: object) -> str:
    """The NAME of "name=NAME"; "" for the other words.  Raises ValueError."""
    if isinstance(session, str):
        kind, equals, name = session.partition("=")
        if equals and kind == "name":
            try:
                return words.session_name(name)
            except Refused as refusal:
                raise ValueError(f"session: {refusal}") from None
        if session in decide.ASKED and session != decide.NAMED:
            return ""
    known = '"fallback", "keep", "new", "user-session" or "name=NAME"'
    raise ValueError(f"session must be {known}, not {session!r:.80}")


def _links(link: object) -> tuple[str, ...] | None:
    if link is None:
        return None
    known = " and ".join(f'"{each}"' for each in decide.LINKS)
    if isinstance(link, str | bytes) or not isinstance(link, Iterable):
        raise ValueError(f"link must be a list of {known}, not {link!r:.80}")
    links = tuple(link)
    for each in links:
        if each not in decide.LINKS:
            raise ValueError(f"link may have {known} in it, not {each!r:.80}")
    return links


def _checked_tag(tag: object) -> str | None:
    if tag is None or words.is_tag(tag):
        return tag  # type: ignore[return-value]
    raise ValueError(f"tag must be 1 to 1024 printable characters, not {tag!r:.80}")
