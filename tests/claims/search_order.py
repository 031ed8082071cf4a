"""The order of search of keyrings(7)."""

import time

from claims import calls, stage
from claims.calls import PROCESS, SESSION, THREAD
from claims.claim import Page, base_uid, holds_if
from pam_pykeyinit.kernel import keyctl, syscalls

PAGE = Page("keyrings(7), searching for keys")


@PAGE.claim("the thread keyring is searched first, then the process keyring, then the session's")
def order() -> str:
    stage.user_in_session()
    keys = [calls.keep(keyring) for keyring in (THREAD, PROCESS, SESSION)]
    found = []
    for key, keyring in zip(keys, (THREAD, PROCESS, SESSION)):  # noqa: B905  # Python 3.9
        found.append(calls.find())
        keyctl.unlink(key, keyring)
    return holds_if(found == keys and calls.find() == "ENOKEY")


@PAGE.claim("the user-session keyring is searched in place of a session keyring that is not there")
def user_session() -> str:
    stage.without_session(base_uid())
    key = calls.keep(calls.USER_SESSION, "claims:order")
    return holds_if(calls.find("claims:order") == key)


PAGE.untestable(
    "a handler that request_key(2) started also searches the keyrings of who asked",
    "the kernel starts handlers outside of the tests' world",
)


@PAGE.claim("a tree is searched level by level")
def breadth_first() -> str:
    stage.user()
    root = calls.make(THREAD)
    deep = keyctl.add_keyring("level 1", root)
    deeper = keyctl.add_keyring("level 2", deep)
    found = []
    for keyring in (deeper, deep, root):
        key = calls.keep(keyring)
        found.append(calls.search(root) == key)
    return holds_if(all(found))


@PAGE.claim("a keyring of the name itself comes before what it holds")
def itself_first() -> str:
    stage.user()
    outer = keyctl.add_keyring("same", calls.make(THREAD))
    keyctl.add_keyring("same", outer)
    return holds_if(calls.search(THREAD, "same", "keyring") == outer)


@PAGE.claim("the first valid key ends the search")
def first_valid() -> str:
    stage.user_in_session()
    first = calls.keep(THREAD)
    calls.keep(SESSION)
    return holds_if(calls.find() == first)


@PAGE.claim("past a key that is dead the search goes on")
def goes_on() -> str:
    stage.user_in_session()
    syscalls.revoke(calls.keep(THREAD))
    good = calls.keep(SESSION)
    return holds_if(calls.find() == good)


@PAGE.claim("where no valid key is found, what was wrong with the dead one is the error")
def noted_error() -> str:
    stage.user_in_session()
    syscalls.revoke(calls.keep(SESSION))
    return holds_if(calls.find() == "EKEYREVOKED")


@PAGE.claim("also where it is not in the keyring that is searched last")
def noted_error_elsewhere() -> str:
    stage.user_in_session()
    syscalls.revoke(calls.keep(THREAD))
    found = calls.find()
    if found == "EKEYREVOKED":
        return ""
    assert found == "ENOKEY"
    return "ENOKEY: a keyring that is searched later and has nothing hides it"


def _expired(keyring: int) -> None:
    calls.expire(calls.keep(keyring), 1)
    time.sleep(1.1)


@PAGE.claim("so is an expired key's")
def expired() -> str:
    stage.user_in_session()
    _expired(SESSION)
    assert calls.search(SESSION) == "EKEYEXPIRED"
    found = calls.find()
    if found == "EKEYEXPIRED":
        return ""
    assert found == "ENOKEY", found
    return "by keyctl_search(3) it is; to request_key(2) it is as if it were not there"


@PAGE.claim("of several errors, the first one is given")
def first_error() -> str:
    stage.user_in_session()
    inner = keyctl.add_keyring("inner", SESSION)
    syscalls.revoke(calls.keep(SESSION))
    _expired(inner)
    found = calls.search(SESSION)
    if found == "EKEYREVOKED":
        return ""
    assert found == "EKEYEXPIRED", found
    return "the last one"


@PAGE.claim("where nothing matches, the error is ENOKEY")
def nothing() -> str:
    stage.user_in_session()
    return holds_if(calls.find("claims:nothing") == "ENOKEY")


@PAGE.claim("one keyring can be searched alone, by the same rules")
def alone() -> str:
    stage.user_in_session()
    calls.keep(THREAD)
    inner = keyctl.add_keyring("inner", SESSION)
    key = calls.keep(inner)
    found = calls.search(SESSION)
    syscalls.revoke(key)
    return holds_if(found == key and calls.search(SESSION) == "EKEYREVOKED")
