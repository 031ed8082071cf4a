"""thread-keyring(7)."""

from claims import calls, stage
from claims.calls import THREAD
from claims.claim import Page, holds_if
from pam_pykeyinit.kernel import keyctl, syscalls
from support.child import in_child

PAGE = Page("thread-keyring(7)")


@PAGE.claim("it keeps keys in being, and findable, for its thread")
def anchors() -> str:
    stage.user_in_session()
    return holds_if(calls.keep(THREAD) == calls.find())


@PAGE.claim("it is made only when the thread asks for it")
def made_on_request() -> str:
    stage.user_in_session()
    before = calls.ask(syscalls.get_keyring_id, THREAD)
    calls.find("nothing")
    keyctl.link(syscalls.USER_KEYRING, syscalls.SESSION_KEYRING)
    between = calls.ask(syscalls.get_keyring_id, THREAD)
    return holds_if(before == between == "ENOKEY" and calls.make(THREAD) > 0)


@PAGE.claim("its name is _tid")
def name() -> str:
    stage.user()
    return holds_if(calls.name_of(calls.make(THREAD)) == "_tid")


@PAGE.claim("a special number, -1, stands for the calling thread's")
def special_number() -> str:
    stage.user()
    mine = calls.make(THREAD)
    other = stage.in_thread(lambda: calls.make(THREAD))
    return holds_if(mine == syscalls.get_keyring_id(THREAD) != other)


@PAGE.claim("keyctl(1) understands @t")
def in_keyctl() -> str:
    stage.user()
    words = stage.after_exec(lambda: 0, stage.KEYCTL, "newring", "x", "@t")
    return holds_if(words[1].isdigit())


@PAGE.claim("which is of no use, for keyctl(1) runs in another process and sees its own")
def of_no_use() -> str:
    stage.user()
    calls.make(THREAD)
    return holds_if("Required key not available" in stage.keyctl("id", "@t"))


@PAGE.claim("it is not inherited by a new thread")
def not_by_clone() -> str:
    stage.user()
    serial = calls.keep(THREAD)
    theirs = stage.in_thread(lambda: calls.ask(calls.links, THREAD))
    return holds_if(theirs == "ENOKEY" or serial not in theirs)


@PAGE.claim("it is not inherited by fork(2)")
def not_by_fork() -> str:
    stage.user()
    calls.make(THREAD)
    theirs = in_child(lambda: calls.ask(syscalls.get_keyring_id, THREAD))
    return holds_if(theirs == "ENOKEY")


@PAGE.claim("execve(2) clears it")
def cleared_by_exec() -> str:
    stage.user()
    words = stage.after_exec(lambda: calls.make(THREAD), stage.KEYCTL, "id", "@t")
    return holds_if(int(words[0]) > 0 and "Required key not available" in " ".join(words))


@PAGE.claim("it is destroyed when its thread ends")
def destroyed() -> str:
    stage.user()
    serial = stage.in_thread(lambda: calls.make(THREAD))
    if stage.is_gone(serial):
        return ""
    assert stage.linux() < (6, 1)
    return "it is still there after a minute, on Linux 5.10; not from 6.1 on"


@PAGE.claim("a thread begins without one")
def none_at_first() -> str:
    stage.user()
    beside_none = stage.in_thread(lambda: calls.ask(syscalls.get_keyring_id, THREAD))
    mine = calls.make(THREAD)
    beside_mine = stage.in_thread(lambda: calls.ask(syscalls.get_keyring_id, THREAD))
    assert beside_none == "ENOKEY"
    if beside_mine == "ENOKEY":
        return ""
    assert beside_mine != mine
    return "one that is started by a thread that has one is given one of its own, empty"


@PAGE.claim("to change it makes it where there is none")
def made_by_change() -> str:
    stage.user()
    calls.keep(THREAD)
    return holds_if(syscalls.get_keyring_id(THREAD) > 0)


@PAGE.claim("all else fails with ENOKEY where there is none")
def no_key() -> str:
    stage.user()
    asked = [
        calls.ask(keyctl.describe, THREAD),
        calls.ask(calls.links, THREAD),
        calls.ask(keyctl.set_permissions, THREAD, calls.EVERYTHING),
    ]
    if asked == ["ENOKEY", "ENOKEY", "ENOKEY"]:
        return ""
    assert asked[:2] == ["ENOKEY", "ENOKEY"], asked
    return "looking at it is ENOKEY; setting its permissions makes it, as changing it does"
