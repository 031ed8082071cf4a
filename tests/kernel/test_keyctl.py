"""System calls of the options and of libc, on the real kernel: limits, and open descriptors."""

import contextlib
import errno
import posix
import subprocess
import sys
import syslog
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from pam_pykeyinit.kernel import keyctl, libc, setids, syscalls, sysnums
from support.child import in_child
from support.journal import Journal

pytestmark = pytest.mark.privileged

LONGEST = "x" * 4094 + ";"  # add_key(2): 4095 bytes and a zero
NO_RIGHTS = "---s"  # in /proc/PID/maps: shared memory that can be neither read nor written


def test_the_longest_description_is_read_whole() -> None:
    def seen() -> object:
        syscalls.join_anonymous_session()
        key = keyctl.add_user_key(LONGEST, b"x", syscalls.SESSION_KEYRING)
        kind, uid, gid, _, description = keyctl.describe(key)
        return kind, uid, gid, description == LONGEST

    assert in_child(seen) == ("user", 0, 0, True)


def test_ids_of_the_upper_half_are_no_negative_ones() -> None:
    """user_namespaces(7): the highest ids belong to containers."""
    reported = b"keyring;-2;-2147483648;3f1f0000;a;b\xff"
    assert keyctl.fields(reported) == ("keyring", 2**32 - 2, 2**31, 0x3F1F0000, "a;b\udcff")
    assert keyctl.fields(b"user;4294967294;1000;0;")[1:3] == (2**32 - 2, 1000)


def test_memory_that_keeps_credentials_is_one_page_that_nobody_can_use() -> None:
    def mapped() -> set[str]:
        return set(Path("/proc/self/maps").read_text().splitlines())

    def seen() -> object:
        before = mapped()
        handle = keyctl.keep_credentials()
        new = [line for line in mapped() - before if "/dev/zero" in line]
        start, _, end = new[0].split()[0].partition("-")
        size = int(end, 16) - int(start, 16)
        keyctl.release_credentials(handle)
        left = [line for line in mapped() - before if "/dev/zero" in line]
        return len(new), size == posix.sysconf("SC_PAGESIZE"), new[0].split()[1], left

    assert in_child(seen) == (1, True, NO_RIGHTS, [])


def test_a_thread_is_noticed_and_so_is_its_end() -> None:
    def seen() -> list[bool]:
        reported = [syscalls.has_threads()]
        end = threading.Event()
        other = threading.Thread(target=end.wait)
        other.start()
        reported.append(syscalls.has_threads())
        end.set()
        other.join()
        return reported

    assert in_child(seen) == [False, True]


def test_without_proc_a_host_is_taken_to_have_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> object:
        raise FileNotFoundError(path)

    monkeypatch.setattr(posix, "stat", refused)
    assert not syscalls.has_threads()


def test_nothing_in_a_line_is_taken_as_a_format(journal: Journal) -> None:
    libc.syslog(syslog.LOG_AUTHPRIV | syslog.LOG_ERR, b"pam_pykeyinit(s:session): 100%n %s")
    assert [(line.level, line.text) for line in journal.ours()] == [
        ("ERR", "pam_pykeyinit(s:session): 100%n %s")
    ]


def test_an_interpreter_of_an_unknown_architecture_is_told_there_are_no_keyrings() -> None:
    """As with a seccomp filter or a kernel without keyrings; and no other call is made instead."""
    reported = subprocess.run(
        [
            sys.executable,
            "-Pc",
            "import sys; sys.implementation._multiarch = 'vax-linux-gnu'\n"
            "from pam_pykeyinit.kernel import keyctl, setids, syscalls\n"
            "for call in (syscalls.join_anonymous_session, lambda: setids.setresuid(1, 1, 1),\n"
            "             lambda: setids.setresgid(1, 1, 1), lambda: setids.setfsuid(1),\n"
            "             lambda: keyctl.lock(1), lambda: keyctl.add_keyring('a', -3)):\n"
            "    try: print(call())\n"
            "    except syscalls.KernelError as error: print(error.strerror)\n",
        ],
        capture_output=True,
        text=True,
    )
    assert (reported.stderr, reported.stdout.splitlines()) == (
        "",
        ["Function not implemented"] * 6,
    )


@pytest.mark.parametrize(
    ("largest", "number", "result", "expected"),
    [
        (2**31 - 1, 215, -2, 2**32 - 2),  # of 32 bits: an id, although it looks negative
        (2**31 - 1, 215, 7, 7),
        (2**31 - 1, sysnums.NO_SUCH_CALL, -38, None),  # the number of the call is unknown
        (2**63 - 1, 122, 2**32 - 2, 2**32 - 2),
        (2**63 - 1, 122, -1, None),
    ],
)
def test_what_setfsuid_returns_is_an_id(
    largest: int,
    number: int,
    result: int,
    expected: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Simulated, because a processor has either 32 bits or 64."""
    monkeypatch.setattr(setids, "sys", SimpleNamespace(maxsize=largest))
    monkeypatch.setattr(sysnums, "SETFSUID", number)
    monkeypatch.setattr(libc, "syscall", lambda *_: result)
    if expected is not None:
        assert setids.setfsuid(setids.KEEP) == expected
    else:
        with pytest.raises(syscalls.KernelError):
            setids.setfsuid(setids.KEEP)


def test_a_shared_lock_excludes_only_an_exclusive_one(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with contextlib.ExitStack() as stack:
        first, second, third = (
            stack.enter_context((tmp_path / "lock").open()).fileno() for _ in range(3)
        )
        keyctl.lock_shared(first)
        keyctl.lock_shared(second)
        with pytest.raises(syscalls.KernelError) as refusal:
            keyctl.lock(third)
        assert refusal.value.errno == errno.EAGAIN
        keyctl.unlock(first)
        keyctl.unlock(second)
        keyctl.lock(third)
