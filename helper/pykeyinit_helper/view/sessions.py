"""`pykeyinit-helper sessions`: all session keyrings that exist, for people and as JSON."""

import json
import os
import sys
from collections.abc import Sequence

from pykeyinit_helper.output import Style, fold, width
from pykeyinit_helper.view import own, users
from pykeyinit_helper.view.children import Children
from pykeyinit_helper.view.document import document
from pykeyinit_helper.view.ring import Owner, Seen, Session
from pykeyinit_helper.view.table import INDENT, Whole, in_order, lines

_ROOM = 16  # columns that MADE needs to be readable; if there are fewer, it moves to the left
_NARROW = 4


def sessions(*, as_json: bool) -> int:
    """Print them; return 1 if those of a user could not be inspected.  Raises Refused."""
    whole = look()
    if as_json:
        # One line for each user: of ten thousand keyrings, a third of the time would print
        # blanks.
        members = document(whole)
        body = ",\n".join(json.dumps(user) for user in members.pop("users"))
        print(json.dumps(members)[:-1] + f', "users": [\n{body}\n]}}')
    else:
        _print(whole)
    return 1 if any(owner.seen is None for owner in whole.owners) else 0


def look() -> Whole:
    """For root the keyrings of all users, else those of this user."""
    quotas = users.quotas()
    everyone = os.geteuid() == 0
    whose: Sequence[int] = list(quotas) if everyone else [os.geteuid()]
    none = (0, 0, 0, 0)
    owners = []
    counts = users.counts()
    for uid, answer in Children(lambda uid: own.look(uid, counts.get(uid, 0))).answers(whose):
        seen = None
        if "seen" in answer:
            found, hidden = answer["seen"]
            seen = Seen([Session(*each) for each in found], hidden)
        owners.append(Owner(uid, quotas.get(uid, none), seen, answer.get("error", "")))
    return Whole(in_order(owners), everyone)


def _print(whole: Whole) -> None:
    style, columns = Style.of(sys.stdout), width(sys.stdout)
    indent = INDENT if columns - INDENT >= _ROOM else _NARROW
    for line in lines(whole, style):
        print("\n".join(fold(line, columns, indent)))
