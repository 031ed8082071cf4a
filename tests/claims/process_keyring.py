"""process-keyring(7)."""

import threading

from claims import calls, stage
from claims.calls import PROCESS
from claims.claim import Page, holds_if
from pam_pykeyinit.kernel import keyctl, syscalls
from support.child import in_child

PAGE = Page("process-keyring(7)")


@PAGE.claim("it is shared within a process")
def shared_later() -> str:
    """Whether a thread that existed before the keyring shares it."""
    stage.user()
    made = threading.Event()
    theirs = []

    def look() -> None:
        made.wait()
        theirs.append(calls.ask(syscalls.get_keyring_id, PROCESS))
        theirs.append(calls.make(PROCESS))

    thread = threading.Thread(target=look)
    thread.start()
    mine = calls.make(PROCESS)
    made.set()
    thread.join()
    if theirs[0] == mine:
        return ""
    assert theirs[0] == "ENOKEY"
    assert theirs[1] not in (mine, "ENOKEY")
    return "only by threads that were started after it was made; others make one of their own"


@PAGE.claim("it keeps keys in being, and findable, for its process")
def anchors() -> str:
    stage.user_in_session()
    serial = calls.keep(PROCESS)
    return holds_if(calls.find() == serial == stage.in_thread(calls.find))


@PAGE.claim("it is made only when the process asks for it")
def made_on_request() -> str:
    stage.user_in_session()
    before = calls.ask(syscalls.get_keyring_id, PROCESS)
    calls.find("nothing")
    calls.make(calls.THREAD)
    between = calls.ask(syscalls.get_keyring_id, PROCESS)
    return holds_if(before == between == "ENOKEY" and calls.make(PROCESS) > 0)


@PAGE.claim("its name is _pid")
def name() -> str:
    stage.user()
    return holds_if(calls.name_of(calls.make(PROCESS)) == "_pid")


@PAGE.claim("a special number, -2, stands for the calling process's")
def special_number() -> str:
    stage.user()
    mine = calls.make(PROCESS)
    other = in_child(lambda: calls.make(PROCESS))
    return holds_if(mine == syscalls.get_keyring_id(PROCESS) != other)


@PAGE.claim("keyctl(1) understands @p")
def in_keyctl() -> str:
    stage.user()
    words = stage.after_exec(lambda: 0, stage.KEYCTL, "newring", "x", "@p")
    return holds_if(words[1].isdigit())


@PAGE.claim("which is of no use, for keyctl(1) runs in another process and sees its own")
def of_no_use() -> str:
    stage.user()
    calls.make(PROCESS)
    return holds_if("Required key not available" in stage.keyctl("id", "@p"))


@PAGE.claim("a thread has the process keyring of the thread that started it")
def by_clone() -> str:
    stage.user()
    mine = calls.make(PROCESS)
    return holds_if(stage.in_thread(lambda: syscalls.get_keyring_id(PROCESS)) == mine)


@PAGE.claim("a new process begins without one after fork(2)")
def not_by_fork() -> str:
    stage.user()
    calls.make(PROCESS)
    theirs = in_child(lambda: calls.ask(syscalls.get_keyring_id, PROCESS))
    return holds_if(theirs == "ENOKEY")


@PAGE.claim("execve(2) clears it")
def cleared_by_exec() -> str:
    stage.user()
    words = stage.after_exec(lambda: calls.make(PROCESS), stage.KEYCTL, "id", "@p")
    return holds_if(int(words[0]) > 0 and "Required key not available" in " ".join(words))


@PAGE.claim("it is destroyed when the last thread that has it ends, and not before")
def destroyed() -> str:
    stage.user()

    def in_a_process() -> tuple[int, str]:
        serial = calls.make(PROCESS)
        stage.in_thread(lambda: calls.make(PROCESS))
        return serial, calls.state(serial)

    serial, while_it_ran = in_child(in_a_process)
    return holds_if(while_it_ran == "there" and stage.is_gone(serial))


@PAGE.claim("to change it makes it where there is none")
def made_by_change() -> str:
    stage.user()
    calls.keep(PROCESS)
    return holds_if(syscalls.get_keyring_id(PROCESS) > 0)


@PAGE.claim("all else fails with ENOKEY where there is none")
def no_key() -> str:
    stage.user()
    asked = [
        calls.ask(keyctl.describe, PROCESS),
        calls.ask(calls.links, PROCESS),
        calls.ask(keyctl.set_permissions, PROCESS, calls.EVERYTHING),
    ]
    if asked == ["ENOKEY", "ENOKEY", "ENOKEY"]:
        return ""
    assert asked[:2] == ["ENOKEY", "ENOKEY"], asked
    return "looking at it is ENOKEY; setting its permissions makes it, as changing it does"
