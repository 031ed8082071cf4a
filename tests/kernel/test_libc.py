"""Functions of libc as pam_python and the helper call them; pam_pykeyinit.so has its own."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable
from errno import EINVAL, EPERM

import pytest

from pam_pykeyinit.kernel import libc, procfs, setids, sysnums
from support import world
from support.child import in_child

pytestmark = pytest.mark.privileged

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 2, 3, 4
SAME = setids.KEEP


@pytest.mark.parametrize("user", ["alice", "jörg"])
def test_a_user_is_found_by_the_bytes_of_the_name(user: str) -> None:
    assert libc.getpwnam(user.encode()) == (world.uid(user), world.gid(user))


@pytest.mark.parametrize("name", [b"nosuch", b"j\xf6rg", b""])
def test_an_unknown_user_is_none(name: bytes) -> None:
    assert libc.getpwnam(name) is None


@pytest.mark.parametrize(
    ("without", "may"),
    [("-setuid", 0), ("-setgid", 0), ("-fsetid", 1), ("-kill", 1), ("-setpcap", 1)],
)
def test_who_may_set_ids(without: str, may: int) -> None:
    """Both capabilities are needed, and no other one, capabilities(7)."""
    lost = ("setpriv", f"--inh-caps={without}", f"--bounding-set={without}")
    code = "from pam_pykeyinit.kernel import libc; print(libc.may_set_ids())"
    done = subprocess.run(
        [*lost, "/usr/bin/python3", "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{bool(may)}\n"


def test_where_there_is_no_proc_root_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "text", lambda _: "")

    def as_alice() -> bool:
        setids.setresuid(SAME, world.uid("alice"), SAME)
        return libc.may_set_ids()

    assert in_child(libc.may_set_ids)
    assert not in_child(as_alice)


def _prctl() -> Callable[..., int]:
    function: Callable[..., int] = ctypes.CDLL(None).prctl
    return function


@pytest.mark.parametrize("dumpable", [0, 1])
def test_the_marks_are_read(dumpable: int) -> None:
    def read() -> tuple[int, int]:
        _prctl()(PR_SET_PDEATHSIG, signal.SIGUSR1)
        _prctl()(PR_SET_DUMPABLE, dumpable)
        return libc.process_marks()

    assert in_child(read) == (signal.SIGUSR1, dumpable)


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("dumpable", [0, 1])
def test_the_marks_are_set(before: int, dumpable: int) -> None:
    def found() -> tuple[int, int]:
        _prctl()(PR_SET_DUMPABLE, before)
        libc.set_process_marks(signal.SIGUSR2, dumpable)
        number = ctypes.c_int()
        _prctl()(PR_GET_PDEATHSIG, ctypes.byref(number))
        return number.value, _prctl()(PR_GET_DUMPABLE)

    assert in_child(found) == (signal.SIGUSR2, dumpable)


def _made(*calls: tuple[int | None, ...]) -> list[int]:
    results: list[int] = []
    make = libc.later(results, *calls)
    assert results == []
    make()
    return results


def test_calls_are_made_later_up_to_the_first_that_is_refused() -> None:
    unchanged = (sysnums.SETRESUID, SAME, SAME, SAME)  # it returns 0
    unknown = (sysnums.KEYCTL, 2**31 - 1)  # EOPNOTSUPP
    assert _made(unchanged, unchanged) == [0, 0]
    first, *more = _made(unknown, unchanged)
    assert first < 0
    assert more == []
    again, refused, *more = _made(unchanged, unknown, unchanged)
    assert (again, refused, more) == (0, first, [])


def test_the_refusal_with_the_smallest_number_is_one() -> None:
    def as_alice() -> list[int]:
        setids.setresuid(*[world.uid("alice")] * 3)
        return _made((sysnums.SETRESUID, 0, 0, 0), (sysnums.SETRESUID, SAME, SAME, SAME))

    assert in_child(as_alice) == [-EPERM]


def test_a_page_is_mapped_and_unmapped_once() -> None:
    address = libc.map_page()
    line = f"{address & (2 * sys.maxsize + 1):x}-"  # a 32-bit process has negative addresses
    assert line in procfs.text("/proc/self/maps")
    assert libc.unmap_page(address) == 0
    assert line not in procfs.text("/proc/self/maps")
    assert libc.unmap_page(1) == -EINVAL
