"""The lock of a user's logins: one login at a time holds it, and a login continues without it."""

import contextlib
import errno
import fcntl
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pam_pykeyinit import log
from pam_pykeyinit.kernel import keyctl, syscalls
from pam_pykeyinit.policies import lock
from support import world
from support.child import idle_child, in_child

pytestmark = pytest.mark.privileged

Lines = list[tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the users' files in this test; it does not exist yet."""
    found = tmp_path / "turns"
    monkeypatch.setattr(lock, "FOLDER", str(found))
    return found


def _lock(lines: Lines) -> lock.Lock:
    return lock.Lock(world.uid("alice"), "alice", "web", lines)  # type: ignore[arg-type]


def _file() -> str:
    return lock.file_name(world.uid("alice"), "web")


def _is_free(folder: Path) -> bool:
    with (folder / _file()).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _without(lines: Lines) -> str:
    """The name of the errno in the only line."""
    ((level, line),) = lines
    assert level == log.NOTICE
    assert line.startswith(f"{lock.FOLDER}/{_file()}: ")
    assert " of two logins of alice at the same instant " in line
    return line.split(": ")[1]


def _descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def test_nobody_else_has_a_turn_meanwhile(folder: Path) -> None:
    lines: Lines = []
    before = _descriptors()
    for _ in range(2):  # without the folder, and with it
        with _lock(lines):
            assert not _is_free(folder)
        assert _is_free(folder)
    assert lines == []
    assert _descriptors() == before


def test_a_child_that_was_forked_meanwhile_does_not_keep_the_turn(folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        with _lock([]):
            stack.enter_context(idle_child())
        assert _is_free(folder)


def test_nobody_but_root_can_open_the_file(folder: Path) -> None:
    """With any umask of the host; and programs that it starts do not inherit the descriptor."""

    def seen() -> list[object]:
        os.umask(0)
        before = set(_descriptors())
        with _lock([]):
            (mine,) = {name for name in set(_descriptors()) - before if _is_open(name)}
            kept = fcntl.fcntl(int(mine), fcntl.F_GETFD)
        file = (folder / _file()).stat()
        modes = [stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.st_mode)]
        return [kept, modes, [folder.stat().st_uid, file.st_uid]]

    assert in_child(seen) == [fcntl.FD_CLOEXEC, [0o700, 0o600], [0, 0]]


def _is_open(name: str) -> bool:
    try:
        os.fstat(int(name))
    except OSError:
        return False
    return True


def _given_away(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, world.uid("bob"), 0)


def _with_a_mode(bit: int) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o700 | bit)

    return make


def _a_link(folder: Path) -> None:
    folder.with_name("elsewhere").mkdir(mode=0o700)
    folder.symlink_to("elsewhere")


def _a_link_in_it(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / _file()).symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_given_away, "EPERM"),
        *((_with_a_mode(1 << bit), "EPERM") for bit in range(6)),
        (_a_link, "ENOTDIR"),
        (_a_link_in_it, "ELOOP"),
        (lambda folder: folder.touch(mode=0o600), "ENOTDIR"),
        (lambda folder: os.mkfifo(folder, mode=0o600), "ENOTDIR"),
    ],
)
def test_what_somebody_else_may_have_put_there_is_not_used(
    make: Callable[[Path], None], why: str, folder: Path
) -> None:
    """The login continues, logs it, and opens or creates no file of another user."""
    make(folder)

    def seen() -> list[object]:
        signal.alarm(20)  # opening a pipe waits for its other end
        lines: Lines = []
        before = _descriptors()
        with _lock(lines):
            pass
        return [_without(lines), _descriptors() == before]

    assert in_child(seen) == [why, True]
    assert not (folder.parent / "elsewhere" / _file()).exists()


def test_a_folder_that_cannot_be_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "FOLDER", str(folder / "below"))
    lines: Lines = []
    with _lock(lines):
        pass
    assert _without(lines) == "ENOENT"


class Clock:
    """Each call of `monotonic` advances the time; `sleep` only records its argument."""

    def __init__(self, asleep: Callable[[], None]) -> None:
        self.asleep = asleep
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """The time."""
        self.now += 0.05
        return self.now

    def sleep(self, seconds: float) -> None:
        """Record it."""
        self.slept.append(seconds)
        assert len(self.slept) < 100, "waits for ever"
        self.asleep()


def _set(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "monotonic", clock.monotonic)
    monkeypatch.setattr(lock, "sleep", clock.sleep)


def test_the_file_has_the_hash_of_the_name() -> None:
    """The vectors are FNV's own, for 64 bits of FNV-1a."""
    assert lock.file_name(0, "") == "0.cbf29ce484222325"
    assert lock.file_name(1000, "foobar") == "1000.85944171f73967e8"


def test_a_turn_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And taken before a user at a terminal would notice the delay."""
    lines: Lines = []
    with _lock([]):
        pass
    with (folder / _file()).open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        clock = Clock(lambda: fcntl.flock(other, fcntl.LOCK_UN))
        _set(clock, monkeypatch)
        with _lock(lines) as held:
            assert held
            assert not _is_free(folder)
    assert lines == []
    (slept,) = clock.slept
    assert 0 < slept < 0.1


def test_those_who_waited_go_on_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that had to wait finds a keyring, as others do at the same time."""
    lines: Lines = []
    with _lock([]):
        pass
    with (folder / _file()).open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        clock = Clock(lambda: None)
        _set(clock, monkeypatch)
        with _lock(lines):
            pass
    assert lines == []
    assert len(clock.slept) == 1


def test_a_second_close_closes_nothing(folder: Path) -> None:
    held = _lock([])
    before = _descriptors()
    held.close()
    with (folder / _file()).open():  # gets the number of the closed one
        assert _descriptors() == before
        held.close()
        assert _descriptors() == before


def test_a_login_that_is_stopped_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: Lines = []
    before = _descriptors()
    clock = Clock(lambda: None)
    with _lock([]):
        _set(clock, monkeypatch)
        with _lock(lines) as held:
            assert not held
            assert not _is_free(folder)
    assert _without(lines) == "EAGAIN"
    assert _descriptors() == before
    # Frequent checks slow down the holder; rare checks wait too long.
    first, second, third = clock.slept[:3]
    assert (second, third) == (2 * first, 4 * first)
    assert max(clock.slept) == clock.slept[-1] < 1


def test_a_file_system_without_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is not repeated."""

    def refuse(descriptor: int) -> None:
        raise syscalls.KernelError(errno.ENOLCK, "flock")

    for call in ("lock", "unlock"):
        monkeypatch.setattr(keyctl, call, refuse)
    clock = Clock(lambda: None)
    _set(clock, monkeypatch)
    lines: Lines = []
    before = _descriptors()
    with _lock(lines):
        pass
    assert (_without(lines), clock.slept, _descriptors()) == ("ENOLCK", [], before)
