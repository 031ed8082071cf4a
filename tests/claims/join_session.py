"""keyctl_join_session_keyring(3) and keyctl_session_to_parent(3)."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from claims import calls, stage
from claims.calls import SESSION
from claims.claim import NotHere, Page, base_uid, holds_if
from pam_pykeyinit.kernel import syscalls
from pam_pykeyinit.kernel.keyctl import set_permissions
from pykeyinit_helper import keyctl
from support import keyusers
from support.child import in_child

JOIN = Page("keyctl_join_session_keyring(3)")
PARENT = Page("keyctl_session_to_parent(3)")


def _join(name: str) -> int:
    keyctl.join_named_session(name)
    return syscalls.get_keyring_id(SESSION)


def _searchable(name: str) -> int:
    serial = _join(name)
    set_permissions(serial, calls.EVERYTHING)
    return serial


@JOIN.claim("it changes the session keyring of the caller")
def changes() -> str:
    before = stage.user_in_session()
    after = syscalls.join_anonymous_session()
    return holds_if(before != after == syscalls.get_keyring_id(SESSION))


@JOIN.claim("of the whole process")
def of_the_process() -> str:
    before = stage.user_in_session()
    theirs = stage.in_thread(syscalls.join_anonymous_session)
    mine = syscalls.get_keyring_id(SESSION)
    if mine == theirs:
        return ""
    assert mine == before
    return "of the calling thread alone, and of what it starts"


@JOIN.claim("without a name it makes a new keyring, with the name _ses")
def anonymous() -> str:
    first, second = stage.user_in_session(), syscalls.join_anonymous_session()
    return holds_if(first != second and calls.name_of(second) == "_ses")


@JOIN.claim("with the name of a keyring that is available it joins that")
def joins() -> str:
    stage.user()
    made = _searchable("claims:join")
    return holds_if(
        in_child(lambda: (syscalls.join_anonymous_session(), _join("claims:join"))[1]) == made
    )


@JOIN.claim("which is an error where it is not permitted: EACCES if it cannot be searched")
def not_permitted() -> str:
    stage.user()
    made = _searchable("claims:closed")
    set_permissions(made, calls.EVERYTHING & ~0x080000)

    def again() -> object:
        syscalls.join_anonymous_session()
        return calls.ask(lambda: _join("claims:closed"))

    joined = in_child(again)
    if joined == "EACCES":
        return ""
    assert joined not in (made, 0)
    assert isinstance(joined, int)
    return "no error: another keyring of the same name is made"


@JOIN.claim("where there is none of that name, it makes one")
def makes() -> str:
    stage.user_in_session()
    return holds_if(calls.name_of(_join("claims:new")) == "claims:new")


@JOIN.claim("to be joined, a keyring must grant search to the caller")
def must_be_searchable() -> str:
    """A new keyring is not searchable: its owner has view, read and link."""
    stage.user()
    made = _join("claims:default")
    joined = in_child(lambda: (syscalls.join_anonymous_session(), _join("claims:default"))[1])
    assert joined != made
    set_permissions(made, calls.EVERYTHING)
    return holds_if(
        in_child(lambda: (syscalls.join_anonymous_session(), _join("claims:default"))[1]) == made
    )


@JOIN.claim("it gives the serial number of the keyring that was found or made")
def gives_serial() -> str:
    stage.user()
    made = _searchable("claims:serial")
    given = keyctl.join_named_session("claims:serial")
    if given == made:
        return ""
    assert given == 0
    assert (
        in_child(
            lambda: (
                syscalls.join_anonymous_session(),
                keyctl.join_named_session("claims:serial"),
            )[1]
        )
        == made
    )
    return "0 where it is the session keyring already, otherwise the serial number"


JOIN.untestable("ENOMEM where the kernel has no memory", "the kernel cannot be made short of it")


@JOIN.claim("EDQUOT where the quota is used up")
def over_quota() -> str:
    uid = stage.new_uid()

    def fill() -> object:
        stage.become(uid)
        syscalls.join_anonymous_session()
        size = 32_000
        for number in range(10_000):
            name, content = str(number), b"x" * size
            if size and calls.ask(keyctl.add_user_key, name, content, calls.SESSION) == "EDQUOT":
                keyusers.refused_are_collected(uid)
                size //= 2
        return calls.ask(syscalls.join_anonymous_session)

    return holds_if(in_child(fill) == "EDQUOT")


def _from_child(prepare: Callable[[], object] = int) -> tuple[object, object, object]:
    """A child offers its session keyring: its serial, the child's result, our keyring then."""
    theirs, reported = in_child(
        lambda: (prepare(), syscalls.get_keyring_id(SESSION), calls.ask(keyctl.session_to_parent))[
            1:
        ]
    )
    return theirs, reported, syscalls.get_keyring_id(SESSION)


@PARENT.claim("the session keyring of the parent becomes that of the caller; it gives 0")
def given() -> str:
    stage.user_in_session()
    theirs, reported, mine = _from_child(syscalls.join_anonymous_session)
    return holds_if(reported is None and mine == theirs)


@PARENT.claim("the keyring must grant link to the caller, or EACCES")
def linkable() -> str:
    before = stage.user_in_session()

    def closed() -> None:
        serial = syscalls.join_anonymous_session()
        set_permissions(serial, 0x2F2F0000)

    _, reported, mine = _from_child(closed)
    return holds_if(reported == "EACCES" and mine == before)


@PARENT.claim("the parent must have the same user and group ids, or EPERM")
def same_ids() -> str:
    before = syscalls.join_anonymous_session()

    def other() -> None:
        stage.become(base_uid())
        syscalls.join_anonymous_session()

    _, reported, mine = _from_child(other)
    return holds_if(reported == "EPERM" and mine == before)


@PARENT.claim("the parent must have a single thread, or EPERM")
def single_thread() -> str:
    before = stage.user_in_session()
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    _, reported, mine = _from_child(syscalls.join_anonymous_session)
    done.set()
    thread.join()
    return holds_if(reported == "EPERM" and mine == before)


PARENT.untestable("a security module may refuse it", "no such policy is loaded")


@PARENT.claim("init is never the parent that is changed")
def not_init() -> str:
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        me = os.getpid()
        if os.fork() == 0:
            while os.getppid() == me:
                pass
            answer = calls.ask(keyctl.session_to_parent)
            os.write(writing, f"{os.getppid()} {answer}".encode())
        os._exit(0)
    os.waitpid(parent, 0)
    adopted_by, answer = os.read(reading, 100).split()
    if adopted_by != b"1":
        raise NotHere("orphans do not go to init")
    if Path("/proc/self/ns/pid").stat().st_ino != stage.FIRST_PID_NAMESPACE:
        raise NotHere("the init of a container is none to the kernel")
    return holds_if(answer == b"EPERM")


PARENT.untestable(
    "it takes effect when the parent returns to user space",
    "nothing can look at the parent before that",
)
PARENT.untestable("ENOMEM where the kernel has no memory", "the kernel cannot be made short of it")
