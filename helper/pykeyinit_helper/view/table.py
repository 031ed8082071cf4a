"""The output of `sessions` for people.  Pure, except for the names of users."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pam_pykeyinit.log import printable
from pykeyinit_helper.output import Style, user_name
from pykeyinit_helper.view import ring
from pykeyinit_helper.view.ring import Owner, Session

_HEADER = "    SERIAL NAME             STATE       KEYS @u  TAKES            MADE"
_NAME = 16  # columns
INDENT = _HEADER.index("MADE")
_MADE_LATEST = "~"  # sorts after every time, for keyrings without a tag


class Whole(NamedTuple):
    """All results, the users near their quota first."""

    owners: list[Owner]
    everyone: bool  # not only this user


def in_order(owners: Sequence[Owner]) -> list[Owner]:
    """Users who have used most of their quota first."""
    return sorted(owners, key=lambda owner: (-owner.share, owner.uid))


def by_time(sessions: Sequence[Session]) -> list[Session]:
    """Keyrings with a time of creation, the oldest first; then the others."""
    return sorted(
        sessions, key=lambda each: (ring.origin(each).get("time", _MADE_LATEST), each.serial)
    )


def lines(whole: Whole, style: Style) -> Iterator[str]:
    """The table, and the unknown facts below it."""
    shown = [owner for owner in whole.owners if _is_shown(owner)]
    if shown:
        yield style.dim(_HEADER)
    for owner in shown:
        yield _head(owner, style)
        for session in by_time(owner.seen.sessions if owner.seen else ()):
            yield _row(session, style)
    total = sum(len(owner.seen.sessions) for owner in whole.owners if owner.seen)
    having = sum(1 for owner in whole.owners if owner.seen and owner.seen.sessions)
    yield f"{_count(total, 'session keyring')} of {_count(having, 'user')}"
    yield from unknown(whole)


def _is_shown(owner: Owner) -> bool:
    return owner.is_near or owner.seen is None or bool(owner.seen.sessions)


def _head(owner: Owner, style: Style) -> str:
    keys, most, size, largest = owner.quota
    used = f"{keys} of {most} keys, {size} of {largest} bytes of the quota"
    if owner.is_near:
        used = style.alarm(f"{used}: nearly used up")
    return f"{style.bold(printable(user_name(owner.uid)))}: {used}"


def _row(session: Session, style: Style) -> str:
    name = printable(session.name)
    state = session.state
    if state == ring.EXPIRING:
        state = f"expires {session.expires}"
    dead = session.state in (ring.EXPIRED, ring.REVOKED, ring.INVALIDATED)
    linked = {True: "yes", False: "no", None: "?"}[session.user_keyring]
    keys, size, whole = session.takes
    more = "" if whole else "+"
    takes = f"{keys}{more} keys {size}{more} B"
    mark = style.alarm if dead else style.plain
    return (
        f"{session.serial:10} {name:{_NAME}} {mark(f'{state:11}')} {session.keys:4} "
        f"{linked:3} {takes:16} {_made(session)}"
    ).rstrip()


def _made(session: Session) -> str:
    made = {name: printable(value) for name, value in ring.origin(session).items()}
    words = [made.get("time", ""), made.get("service", "")]
    words += [f"{name}={made[name]}" for name in ("tty", "rhost") if name in made]
    if made.get("by") not in (None, "pam_pykeyinit"):
        words.append(f"({made['by']})")
    return " ".join(word for word in words if word)


def unknown(whole: Whole) -> Iterator[str]:
    """The facts that the inspection could not find out."""
    for owner in whole.owners:
        name = printable(user_name(owner.uid))
        if owner.seen is None:
            yield f"Not looked at: the keyrings of {name}: {printable(owner.error)}"
        elif owner.seen.hidden:
            what = _count(owner.seen.hidden, "key")
            yield f"Not seen: {what} of {name}: their owner has no right to view them"
    sessions = [each for owner in whole.owners if owner.seen for each in owner.seen.sessions]
    untagged = sum(1 for each in sessions if not each.tagged_by)
    if untagged:
        what = _count(untagged, "session keyring")
        yield f"Not known: when and by what {what} were made: there is no tag in them"
    if not whole.everyone:
        yield "Not looked at: what others have; root sees that"
    if sessions:
        yield "Not known: which processes have them; the kernel does not tell"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
