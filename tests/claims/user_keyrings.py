"""What user-keyring(7) and user-session-keyring(7) both say, word for word."""

import os
from collections.abc import Callable
from pathlib import Path

from claims import calls, stage
from claims.claim import Page, base_uid, holds_if
from pam_pykeyinit.kernel import keyctl, syscalls
from support.child import in_child


def _as(uid: int, look: Callable[[], object]) -> object:
    def work() -> object:
        stage.become(uid)
        return look()

    return in_child(work)


def comes_into_being_with(keyring: int, first: int) -> str:
    """Whether asking for one user keyring creates both."""
    uid = stage.new_uid()
    stage.without_session(uid) if first == calls.SESSION else stage.become(uid)
    syscalls.get_keyring_id(first)
    lines = [line.split() for line in Path("/proc/keys").read_text().splitlines()]
    names = {words[8].rstrip(":") for words in lines if words[5] == str(uid)}
    wanted = f"_uid.{uid}" if keyring == calls.USER else f"_uid_ses.{uid}"
    return holds_if(wanted in names)


def _survives(keyring: int) -> str:
    """Its state after the last process of its user has ended."""
    uid = stage.new_uid()
    serial = _as(uid, lambda: calls.keep(keyring))
    found = _as(uid, lambda: calls.ask(calls.search, keyring))
    assert found in (serial, "ENOKEY")
    if found == "ENOKEY":
        return ""
    assert _as(uid, lambda: calls.ask(lambda: keyctl.unlink(int(str(serial)), keyring))) is None
    return "it stays as long as the user namespace does, since Linux 5.3"


def claims(page: Page, keyring: int, name: str, sign: str) -> None:
    """Add the claims to the page of one of the two."""

    @page.claim("each uid has its own, which all its processes share")
    def shared() -> str:
        first, second = (_as(base_uid(), lambda: syscalls.get_keyring_id(keyring)) for _ in "12")
        other = _as(base_uid() + 1, lambda: syscalls.get_keyring_id(keyring))
        return holds_if(first == second != other)

    @page.claim(f"its name is {name}UID")
    def named() -> str:
        uid = stage.user()
        return holds_if(calls.name_of(keyring) == f"{name}{uid}")

    for first, called in (
        (calls.USER, "the user keyring"),
        (calls.USER_SESSION, "the user-session keyring"),
        (calls.SESSION, "the session keyring"),
    ):

        @page.claim(f"it comes into being when {called} is first looked for")
        def comes(first: int = first) -> str:
            return comes_into_being_with(keyring, first)

    @page.claim("it stays as long as a process has the uid for its real uid")
    def pinned_by_process() -> str:
        uid = stage.user()
        calls.keep(keyring)
        real_only = in_child(lambda: calls.search(keyring))
        return holds_if(real_only == calls.search(keyring) and os.getuid() == uid)

    @page.claim("or a file is open that such a process opened")
    def pinned_by_file() -> str:
        """It stays without any file, see below; the effect of the file is not observable."""
        return _survives(keyring)

    @page.claim("a link in another keyring keeps it in being")
    def pinned_by_link() -> str:
        stage.user_in_session()
        keyctl.link(keyring, calls.SESSION)
        return holds_if(syscalls.get_keyring_id(keyring) in calls.links(calls.SESSION))

    number = {calls.USER: -4, calls.USER_SESSION: -5}[keyring]

    @page.claim(f"a special number, {number}, stands for the calling process's, by its real uid")
    def special_number() -> str:
        uid = base_uid()
        os.setresuid(uid, 0, 0)
        by_real = calls.name_of(keyring)
        os.setresuid(0, uid, 0)
        by_effective = calls.ask(lambda: calls.name_of(keyring))
        os.setresuid(0, 0, 0)
        return holds_if(by_real == f"{name}{uid}" != by_effective)

    @page.claim(f"keyctl(1) understands {sign}")
    def in_keyctl() -> str:
        stage.user_in_session()
        return holds_if(stage.keyctl("id", sign) == str(syscalls.get_keyring_id(keyring)))

    @page.claim("clone(2), fork(2) and vfork(2) have nothing to do with it")
    def after_fork() -> str:
        stage.user_in_session()
        mine = syscalls.get_keyring_id(keyring)
        seen = {
            in_child(lambda: syscalls.get_keyring_id(keyring)),
            stage.in_thread(lambda: syscalls.get_keyring_id(keyring)),
            int(stage.keyctl("id", sign)),  # subprocess uses vfork
        }
        return holds_if(seen == {mine})

    @page.claim("nor has execve(2)")
    def after_exec() -> str:
        def prepare() -> int:
            stage.user_in_session()
            return syscalls.get_keyring_id(keyring)

        words = stage.after_exec(prepare, stage.KEYCTL, "id", sign)
        return holds_if(words[0] == words[1])

    @page.claim("nor has _exit(2)")
    def after_exit() -> str:
        stage.user()
        serial = in_child(lambda: calls.keep(keyring))
        return holds_if(calls.search(keyring) == serial)

    @page.claim("it is destroyed with the record of the uid, when its last process ends")
    def destroyed() -> str:
        return _survives(keyring)

    @page.claim("it is made when it is looked for and not there")
    def made() -> str:
        return comes_into_being_with(keyring, keyring)
