"""user-session-keyring(7)."""

from claims import calls, stage, user_keyrings
from claims.claim import Page, base_uid, holds_if
from pam_pykeyinit.kernel import syscalls

PAGE = Page("user-session-keyring(7)")
FALLBACK = "tests/helper/run/test_fallback.py::test_every_cell"

user_keyrings.claims(PAGE, calls.USER_SESSION, "_uid_ses.", "@us")


@PAGE.claim("it is made for a thread that asks for its session keyring and has none")
def made_for_session() -> str:
    return user_keyrings.comes_into_being_with(calls.USER_SESSION, calls.SESSION)


@PAGE.claim("and, unless the session keyring was to be made, becomes the session keyring")
def becomes_session() -> str:
    stage.without_session(base_uid())
    session = syscalls.get_keyring_id(calls.SESSION)
    assert session == syscalls.get_keyring_id(calls.USER_SESSION)
    return holds_if(calls.make(calls.SESSION) != session)


@PAGE.claim("request_key(2) searches it where there is no session keyring")
def searched() -> str:
    stage.without_session(base_uid())
    serial = calls.keep(calls.USER_SESSION, "claims:us")
    return holds_if(calls.find("claims:us") == serial)


@PAGE.claim("and not otherwise")
def not_searched() -> str:
    stage.user_in_session()
    calls.keep(calls.USER_SESSION, "claims:us")
    return holds_if(calls.find("claims:us") == "ENOKEY")


PAGE.elsewhere("root above all should have a session keyring made, and not rely on it", FALLBACK)
PAGE.elsewhere("it stands in for the session keyring of daemons started without PAM", FALLBACK)
