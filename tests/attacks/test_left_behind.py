"""Other users cannot reach anything that a process with sessions holds.

While the host holds alice's displaced session keyring, two keyrings of its own exist: the pin
and the grip.  Every operation on each of the three is tried by serial number, as another user,
and as a forked process with another session in place.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import keyutils
import pytest

from attacks import undefended
from pam_pykeyinit.kernel import keyctl, syscalls
from support import world
from support.child import in_child
from support.pamh import Pamh

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

TRIES: dict[str, Callable[[int], object]] = {
    "view": keyctl.describe,
    "read": keyutils.read_key,
    "search": lambda serial: keyutils.search(serial, b"secret"),
    "take": lambda serial: keyctl.link(serial, syscalls.SESSION_KEYRING),
    "put": lambda serial: keyctl.add_user_key("planted", b"x", serial),
    "clear": keyutils.clear,
    # Far in the future: the kernel counts whole seconds, so 1 can expire at once, and an expired
    # key refuses all later operations.
    "expire": lambda serial: keyutils.set_timeout(serial, 1000),
    "permit": lambda serial: keyctl.set_permissions(serial, 0x3F3F3F3F),
    "revoke": syscalls.revoke,
    "invalidate": keyctl.invalidate,
}


def _held() -> tuple[list[int], object]:
    """Pin, grip and alice's session keyring, in a host where bob's session displaced hers."""
    from pam_pykeyinit.module import Handle

    handles = Handle(), Handle()
    for handle, user in zip(handles, ("alice", "bob"), strict=True):
        assert handle.pam_sm_open_session(Pamh(user), 0, ["m", "force", "revoke"]) == 0
        if user == "alice":
            hers = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
            keyctl.add_user_key("secret", b"x", hers)
    (pin,) = _links(syscalls.get_keyring_id(syscalls.THREAD_KEYRING))
    hold = handles[0]._session._hold
    assert hold
    grip = hold._grip
    return [pin, grip, hers], handles


def _links(keyring: int) -> list[int]:
    read = keyutils.read_key(keyring)
    return [int.from_bytes(read[i : i + 4], "little") for i in range(0, len(read), 4)]


def _attack(user: str, serials: list[int], *, keep_session: bool = False) -> set[str]:
    """The operations that succeed for that user, each tried in its own process."""

    def each(name: str, serial: int) -> bool:
        os.setgroups([])
        os.setresgid(*[world.gid(user)] * 3)
        os.setresuid(*[world.uid(user)] * 3)
        if not keep_session:
            syscalls.join_anonymous_session()
        try:
            TRIES[name](serial)
        except (syscalls.KernelError, keyutils.Error):
            return False
        return True

    names = ("pin", "grip", "session")
    return {
        f"{name} {what}"
        for name in TRIES  # Each on all of them: the last operations destroy their target,
        # and the kernel collects the grip some time after the pin is gone.
        for what, serial in reversed(list(zip(names, serials, strict=True)))
        if in_child(lambda name=name, serial=serial: each(name, serial))  # type: ignore[misc]
    }


def _seen_in_proc(user: str) -> set[int]:
    def look() -> set[int]:
        os.setresuid(*[world.uid(user)] * 3)
        lines = Path("/proc/keys").read_text().splitlines()
        return {int(line.split()[0], 16) for line in lines}

    return in_child(look)


@pytest.mark.parametrize(("user", "keep_session"), [("carol", False), ("bob", True)])
def test_others_reach_nothing_of_it(user: str, keep_session: bool) -> None:
    def host() -> tuple[set[str], set[int]]:
        serials, _ = _held()
        return _attack(user, serials, keep_session=keep_session), _seen_in_proc(user) & set(
            serials
        )

    assert in_child(host) == (set(), set())


def test_her_other_processes_reach_only_what_they_may() -> None:
    """The owner can always view and read the session keyring, but nothing else; the other two
    keyrings belong to the host.
    """

    def host() -> set[str]:
        serials, _ = _held()
        return _attack("alice", serials)

    assert in_child(host) == {"view session", "read session"}


def test_the_tries_work_where_the_keyrings_are_open(tmp_path: Path) -> None:
    """The control: pin and grip with full permissions, and a session keyring open to all users."""
    folder = undefended.package(tmp_path, "the pin is not searchable", "the grip is its owner's")

    def host() -> set[str]:
        for name in [name for name in sys.modules if name.split(".")[0] == "pam_pykeyinit"]:
            if name.split(".")[-1] in ("hold", "session", "module"):
                del sys.modules[name]
        sys.modules["pam_pykeyinit"].__path__[:] = [str(folder / "pam_pykeyinit")]
        serials, _ = _held()
        return _attack("carol", serials)

    reached = in_child(host)
    # After clear, the later ones of TRIES no longer reach the grip.
    each = ("view", "read", "take", "put", "clear")
    opened = {f"{name} {what}" for name in each for what in ("pin", "grip")}
    assert opened | {"expire pin", "revoke pin"} <= reached
