"""user-keyring(7)."""

from claims import calls, stage, user_keyrings
from claims.claim import Page, base_uid, holds_if
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import keyctl
from support.child import in_child

PAGE = Page("user-keyring(7)")
LINKED = "tests/module/test_contract.py::test_a_session_has_its_own_keyring_with_the_user_keyring"

user_keyrings.claims(PAGE, calls.USER, "_uid.", "@u")
PAGE.elsewhere("pam_keyinit makes it at login", LINKED)


@PAGE.claim("request_key(2) does not search it by itself")
def not_searched() -> str:
    stage.user_in_session()
    calls.keep(calls.USER, "claims:user")
    return holds_if(calls.find("claims:user") == "ENOKEY")


@PAGE.claim("not even where there is no session keyring")
def not_searched_without_session() -> str:
    stage.without_session(base_uid())
    serial = calls.keep(calls.USER, "claims:user")
    if calls.find("claims:user") == "ENOKEY":
        return ""
    assert calls.find("claims:user") == serial
    assert syscalls.get_keyring_id(calls.USER) in calls.links(calls.USER_SESSION)
    return "then the user-session keyring is searched, and has a link to it"


@PAGE.claim("it is searched with a session keyring that has a link to it, as pam_keyinit makes")
def searched_by_link() -> str:
    stage.user_in_session()
    keyctl.link(calls.USER, calls.SESSION)
    return holds_if(calls.find("claims:user") == calls.keep(calls.USER, "claims:user"))


@PAGE.claim("what is to outlive the record of the uid belongs in the persistent keyring")
def persistent_outlives() -> str:
    """Advice; this shows that the persistent keyring fulfils it."""
    uid = stage.new_uid()

    def put() -> int:
        stage.become(uid)
        syscalls.join_anonymous_session()
        return calls.keep(keyctl.get_persistent(-1, calls.SESSION))

    def look() -> object:
        stage.become(uid)
        syscalls.join_anonymous_session()
        return calls.search(keyctl.get_persistent(-1, calls.SESSION))

    found = in_child(put) == in_child(look)
    stage.forget(uid)
    return holds_if(found)
