"""persistent-keyring(7)."""

from pathlib import Path

from claims import calls, stage
from claims.claim import Page, base_uid, holds_if
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import keyctl
from support.child import in_child

PAGE = Page("persistent-keyring(7)")
EXPIRY = Path("/proc/sys/kernel/keys/persistent_keyring_expiry")


def _get(uid: int = -1) -> int:
    return keyctl.get_persistent(uid, calls.SESSION)


def _seen_by(uid: int) -> str:
    """Its line in /proc/keys as its owner sees it, or nothing."""
    for line in Path("/proc/keys").read_text().splitlines():
        if f"_persistent.{uid}:" in line or line.endswith(f"_persistent.{uid}"):
            return line
    return ""


@PAGE.claim("each uid has its own, which all its threads share")
def shared() -> str:
    stage.user_in_session()
    mine = _get()
    other = in_child(lambda: (syscalls.join_anonymous_session(), _get())[1])
    return holds_if(mine == other == stage.in_thread(_get))


@PAGE.claim("its name is _persistent.UID")
def name() -> str:
    stage.user_in_session()
    return holds_if(calls.name_of(_get()) == f"_persistent.{base_uid()}")


@PAGE.claim("it is not accessible even to its user, until it is linked into a keyring of theirs")
def not_direct() -> str:
    stage.user_in_session()
    serial = in_child(_get_in_session)
    seen = [
        calls.state(serial),
        calls.ask(calls.links, serial),
        calls.ask(lambda: calls.keep(serial)),
        calls.search(serial),
        calls.ask(keyctl.link, serial, calls.SESSION),
    ]
    if seen == ["EACCES"] * 5:
        return ""
    assert seen[0] == "there", seen
    assert isinstance(seen[1], list), seen
    assert seen[2:] == ["EACCES"] * 3, seen
    return "its user may view and read it by its number; to search, change or link it is EACCES"


def _get_in_session() -> int:
    syscalls.join_anonymous_session()
    return _get()


@PAGE.claim("keyctl_get_persistent(3) links it, and then it can be changed by its possessor")
def linked() -> str:
    stage.user_in_session()
    serial = _get()
    key = calls.keep(serial, "claims:persistent")
    return holds_if(serial in calls.links(calls.SESSION) and key in calls.links(serial))


@PAGE.claim("it is made where there is none")
def made() -> str:
    uid = stage.new_uid()
    assert not _seen_by(uid)
    stage.become(uid)
    syscalls.join_anonymous_session()
    return holds_if(_get() > 0)


@PAGE.claim("each call sets its time of expiry anew, to persistent_keyring_expiry seconds")
def timer() -> str:
    stage.user_in_session()
    _get()
    line = _seen_by(base_uid()).split()
    unit = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}[line[3][-1]]
    left = int(line[3][:-1]) * unit
    seconds = int(EXPIRY.read_text())
    return holds_if(seconds - unit - 5 <= left <= seconds)


PAGE.untestable(
    "when it expires it is removed, with what it holds, and made anew by the next call",
    "three days, or a setting of the whole machine",
)


@PAGE.claim("request_key(2) does not search it by itself")
def not_searched() -> str:
    stage.user_in_session()
    in_child(lambda: (syscalls.join_anonymous_session(), calls.keep(_get(), "claims:found"))[1])
    return holds_if(calls.find("claims:found") == "ENOKEY")


@PAGE.claim("but where a keyring that is searched has a link to it")
def searched_by_link() -> str:
    stage.user_in_session()
    key = calls.keep(_get(), "claims:found")
    return holds_if(calls.find("claims:found") == key)


@PAGE.claim("clone(2), fork(2), vfork(2), execve(2) and _exit(2) have nothing to do with it")
def independent() -> str:
    stage.user_in_session()
    serial = _get()
    name = f"%keyring:_persistent.{base_uid()}"
    by_exec = int(stage.keyctl("id", name).split()[0])
    return holds_if(in_child(_get_in_session) == serial == by_exec)


@PAGE.claim("it outlives the record of the uid")
def outlives() -> str:
    uid = stage.new_uid()

    def get() -> int:
        stage.become(uid)
        return _get_in_session()

    return holds_if(in_child(get) == in_child(get))


@PAGE.claim("a thread may have its own")
def own() -> str:
    stage.user_in_session()
    return holds_if(_get(base_uid()) == _get(-1))


@PAGE.claim("another uid's only with CAP_SETUID")
def others() -> str:
    def as_user() -> object:
        stage.user_in_session()
        return calls.ask(lambda: _get(base_uid() + 1))

    syscalls.join_anonymous_session()
    refused = in_child(as_user)
    return holds_if(refused == "EPERM" and _get(base_uid() + 1) > 0)


@PAGE.claim("all of a user namespace are linked in .persistent_register, which root sees")
def register() -> str:
    syscalls.join_anonymous_session()
    _get()
    return holds_if(".persistent_register" in Path("/proc/keys").read_text())
