"""The hold of a keyring: it lets other threads revoke it, and nothing of it stays."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keyutils
import pytest

from pam_pykeyinit.hold import Hold
from pam_pykeyinit.kernel import keyctl, syscalls
from support import world
from support.child import in_child

pytestmark = pytest.mark.privileged


def _links(keyring: int) -> list[int]:
    serial = syscalls.get_keyring_id(keyring)
    return [int(key) for key in memoryview(keyutils.read_key(serial)).cast("i")]


def _settled(keyring: int) -> list[int]:
    """The links, after the kernel has collected them, or after 10 seconds."""
    deadline = time.monotonic() + 10
    while (links := _links(keyring)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return links


def _pages() -> int:
    """The number of pages of shared memory of this process."""
    return Path("/proc/self/maps").read_text().count("/dev/zero (deleted)")


def _opened() -> tuple[int, Hold]:
    keyring = syscalls.join_anonymous_session()
    return keyring, Hold(keyring)


@contextmanager
def _opener() -> Iterator[Callable[..., Any]]:
    """Call functions in one other thread, which lives until the end of the block."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work, *arguments: pool.submit(work, *arguments).result()


def _state(keyring: int) -> str:
    try:
        keyctl.describe(keyring)
    except syscalls.KernelError as error:
        return error.strerror or ""
    return "live"


def test_another_thread_can_revoke_and_leaves_nothing_behind() -> None:
    """The thread that opened the session stays, like a thread of a server."""

    def seen() -> list[object]:
        pages = _pages()
        with _opener() as there:
            keyring, hold = there(_opened)
            held = len(there(_links, syscalls.THREAD_KEYRING))
            before = there(_state, keyring)
            hold.possessing(lambda: syscalls.revoke(keyring))
            hold.drop()
            left = there(_settled, syscalls.THREAD_KEYRING)
            here = _links(syscalls.THREAD_KEYRING)
            return [held, before, there(_state, keyring), left, here, _pages() - pages]

    assert in_child(seen) == [1, "live", "Key has been revoked", [], [], 0]


def test_a_child_that_drops_it_does_not_take_it_from_its_parent() -> None:
    def seen() -> list[object]:
        _, hold = _opened()
        pages = _pages()
        there = in_child(lambda: (hold.drop(), _pages())[1])  # type: ignore[func-returns-value]
        return [there - pages, len(_links(syscalls.THREAD_KEYRING)), _pages() - pages]

    assert in_child(seen) == [0, 1, 0]


def test_what_is_possessed_is_let_go_when_the_work_fails() -> None:
    def seen() -> list[object]:
        _, hold = _opened()

        def refused() -> None:
            raise syscalls.KernelError(1, "call")

        with pytest.raises(syscalls.KernelError):
            hold.possessing(refused)
        return [len(_links(syscalls.THREAD_KEYRING))]

    assert in_child(seen) == [1]


@pytest.mark.parametrize("user", ["root", "bob"])
def test_it_is_shown_to_nobody(user: str) -> None:
    """/proc/keys has the keys that its reader can view: the session keyring, but not its hold."""

    def table() -> str:
        os.setresuid(*[world.uid(user)] * 3)
        return Path("/proc/keys").read_text()

    def seen() -> list[object]:
        keyring, hold = _opened()
        shown = in_child(table)
        # By their serial numbers, because tests of other worlds have holds, too.
        return [f"{key:08x} " in shown for key in (keyring, hold._pin, hold._grip)]

    assert in_child(seen) == [True, False, False]


@pytest.mark.parametrize("step", ["add_keyring", "link", "set_permissions", "keep_credentials"])
def test_a_hold_that_is_refused_leaves_nothing_behind(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step that the kernel can refuse: the last call of each, when most is in place."""
    last = {"add_keyring": 1, "set_permissions": 1}.get(step, 0)

    def seen() -> list[object]:
        real, calls = getattr(keyctl, step), []

        def refuse(*arguments: object) -> object:
            calls.append(arguments)
            if len(calls) == last + 1:
                raise syscalls.KernelError(12, step)
            return real(*arguments)

        monkeypatch.setattr(keyctl, step, refuse)
        pages = _pages()
        keyring = syscalls.join_anonymous_session()
        with pytest.raises(syscalls.KernelError) as refusal:
            Hold(keyring)
        return [refusal.value.call, _links(syscalls.THREAD_KEYRING), _pages() - pages]

    assert in_child(seen) == [step, [], 0]
