"""session-keyring(7)."""

import os
import subprocess

from claims import calls, stage
from claims.calls import SESSION
from claims.claim import Page, base_uid, holds_if
from pam_pykeyinit.kernel import keyctl, syscalls
from support.child import idle_child, in_child

PAGE = Page("session-keyring(7)")
CONTRACT = "tests/module/test_contract.py::"


@PAGE.claim("it keeps keys in being, and findable, for its processes")
def anchors() -> str:
    stage.user_in_session()
    serial = calls.keep(SESSION)
    return holds_if(calls.find() == serial == in_child(calls.find))


PAGE.elsewhere(
    "pam_keyinit makes it at login, with a link to the user keyring",
    CONTRACT + "test_a_session_has_its_own_keyring_with_the_user_keyring",
)
PAGE.elsewhere("PAM may revoke it at logout", CONTRACT + "test_only_the_last_close_revokes")
PAGE.untestable("most configurations do", "of distributions, not of the kernel")


@PAGE.claim("its name is _ses")
def name() -> str:
    return holds_if(calls.name_of(stage.user_in_session()) == "_ses")


@PAGE.claim("a special number, -3, stands for the calling process's")
def special_number() -> str:
    return holds_if(stage.user_in_session() == syscalls.get_keyring_id(SESSION))


@PAGE.claim("keyctl(1) understands @s")
def in_keyctl() -> str:
    return holds_if(stage.user_in_session() == int(stage.keyctl("id", "@s")))


@PAGE.claim("clone(2): a new thread inherits it")
def by_clone() -> str:
    mine = stage.user_in_session()
    return holds_if(stage.in_thread(lambda: syscalls.get_keyring_id(SESSION)) == mine)


@PAGE.claim("fork(2): a new process inherits it")
def by_fork() -> str:
    mine = stage.user_in_session()
    return holds_if(in_child(lambda: syscalls.get_keyring_id(SESSION)) == mine)


@PAGE.claim("vfork(2): a new process inherits it")
def by_vfork() -> str:
    """posix_spawn(3) of glibc is a vfork(2) and an execve(2)."""
    mine = stage.user_in_session()
    stage.keyctl("id", "@s")  # NotHere if keyctl(1) is too old for it
    reading, writing = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1)]
    child = os.posix_spawn(stage.KEYCTL, ["keyctl", "id", "@s"], os.environ, file_actions=actions)
    os.waitpid(child, 0)
    os.close(writing)
    return holds_if(int(os.read(reading, 100)) == mine)


def _after(*command: str) -> bool:
    words = stage.after_exec(stage.user_in_session, *command, "id", "@s")
    return words[0] == words[1]


@PAGE.claim("execve(2) keeps it")
def by_exec() -> str:
    return holds_if(_after(stage.KEYCTL))


@PAGE.claim("a set-user-ID program keeps it")
def by_setuid() -> str:
    with stage.privileged_keyctl(0o4755) as program:
        return holds_if(_after(program))


@PAGE.claim("a set-group-ID program keeps it")
def by_setgid() -> str:
    with stage.privileged_keyctl(0o2755) as program:
        return holds_if(_after(program))


@PAGE.claim("a program with capabilities keeps it")
def by_capability() -> str:
    with stage.privileged_keyctl(capability=stage.NET_BIND_SERVICE) as program:
        return holds_if(_after(program))


@PAGE.claim("it is destroyed when the last process that has it ends, and not before")
def destroyed() -> str:
    stage.user_in_session()

    def with_another() -> tuple[int, str]:
        serial = syscalls.join_anonymous_session()
        with idle_child():
            syscalls.join_anonymous_session()
            return serial, calls.state(serial)

    serial, while_it_ran = in_child(with_another)
    return holds_if(while_it_ran == "there" and stage.is_gone(serial))


@PAGE.claim("a process without one is given its user-session keyring when it looks at it")
def user_session_attached() -> str:
    stage.without_session(base_uid())
    session = syscalls.get_keyring_id(SESSION)
    return holds_if(session == syscalls.get_keyring_id(calls.USER_SESSION))


@PAGE.claim("and a new one when it changes it")
def new_one_made() -> str:
    stage.without_session(base_uid())
    calls.keep(SESSION)
    session = syscalls.get_keyring_id(SESSION)
    own = session != syscalls.get_keyring_id(calls.USER_SESSION)
    return holds_if(own and calls.name_of(session) == "_ses")


@PAGE.claim("a caller can join an existing keyring by name, a new one by name, or a nameless one")
def join() -> str:
    stage.user()
    keyctl.join_named_session("claims:join")
    first = syscalls.get_keyring_id(SESSION)
    keyctl.set_permissions(first, calls.EVERYTHING)
    in_between = in_child(syscalls.join_anonymous_session)
    joined = in_child(_joined)
    return holds_if(in_between != first == joined)


def _joined() -> int:
    keyctl.join_named_session("claims:join")
    return syscalls.get_keyring_id(SESSION)


PAGE.elsewhere(
    "a child can give its session keyring to its parent, which must have the same security "
    "attributes and a single thread",
    "keyctl_session_to_parent(3)",
)


@PAGE.claim("`keyctl session` starts a shell in a new, nameless one")
def keyctl_session() -> str:
    mine = stage.user_in_session()
    stage.keyctl("id", "@s")  # NotHere if keyctl(1) is too old for it
    run = subprocess.run(
        [stage.KEYCTL, "session"],
        input="keyctl id @s",
        capture_output=True,
        text=True,
        env={"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"},
    )
    return holds_if(int(run.stdout.split()[-1]) != mine)


@PAGE.claim("`keyctl session - PROGRAM` starts a program in a new, nameless one")
def keyctl_session_program() -> str:
    mine = stage.user_in_session()
    words = stage.keyctl("session", "-", stage.KEYCTL, "describe", "@s").split()
    return holds_if(f"{mine}:" not in words and "_ses" in words)


@PAGE.claim("`keyctl session NAME PROGRAM` starts a program in one of that name")
def keyctl_session_name() -> str:
    stage.user_in_session()
    words = stage.keyctl("session", "claims:name", stage.KEYCTL, "describe", "@s").split()
    return holds_if("claims:name" in words)


@PAGE.claim("`keyctl new_session` gives the shell that calls it a new one")
def keyctl_new_session() -> str:
    mine = stage.user_in_session()
    stage.keyctl("new_session")
    return holds_if(syscalls.get_keyring_id(SESSION) != mine)
