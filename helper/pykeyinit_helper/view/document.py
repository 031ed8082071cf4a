"""The output of `sessions --json`: docs/sessions.schema.json."""

from typing import Any

from pykeyinit_helper.output import user_name
from pykeyinit_helper.view import ring
from pykeyinit_helper.view.ring import Owner, Session
from pykeyinit_helper.view.table import Whole, by_time

SCHEMA = 1  # changes if a member is removed or its meaning changes

_QUOTA = ("keys_used", "keys_allowed", "bytes_used", "bytes_allowed")


def document(whole: Whole) -> dict[str, Any]:
    """The whole document."""
    return {
        "schema": SCHEMA,
        "everyone": whole.everyone,
        "users": [_user(owner) for owner in whole.owners],
    }


def _user(owner: Owner) -> dict[str, Any]:
    seen = owner.seen
    return {
        "uid": owner.uid,
        "user": user_name(owner.uid),
        "quota": dict(zip(_QUOTA, owner.quota, strict=True)),
        "error": owner.error or None,
        "keys_not_seen": seen.hidden if seen else None,
        "sessions": [_session(each) for each in by_time(seen.sessions)] if seen else None,
    }


def _session(session: Session) -> dict[str, Any]:
    made = ring.origin(session)
    return {
        "serial": session.serial,
        "name": session.name,
        "state": session.state,
        "expires": session.expires,
        "keys": session.keys,
        "user_keyring": session.user_keyring,
        "takes": dict(zip(("keys", "bytes", "whole"), session.takes, strict=True)),
        "made": {name: made.get(name) for name in ("by", *ring.WORDS)} if made else None,
    }
