"""LTP's tests of keys, run by root in several kinds of session, if LTP=FOLDER names its build.

Debian, PyPI and npm have no LTP; docs/consumers.md explains how to build it.
"""

import os
from pathlib import Path

import pytest

from consumers.sessions import Opener, Session, Way
from support import world

# They change the kernel's quota settings, and all users share /proc/keys.
pytestmark = [pytest.mark.privileged, pytest.mark.whole_machine]

ORACLE = Way("su", "pam_keyinit")
OTHERS = [Way("su", "native"), Way("run")]
LISTS = {"runtest/syscalls": ("add_key", "keyctl", "request_key"), "runtest/cve": ("cve-",)}
FOLDERS = (*(f"kernel/syscalls/{name}" for name in ("add_key", "keyctl", "request_key")), "cve")
PASSED, LEFT_OUT = 0, 32  # TPASS and TCONF of tst_test.h: the kernel lacks the tested feature


@pytest.fixture(scope="module")
def tests() -> dict[str, str]:
    """The commands of LTP's own lists for the programs that were built, by name."""
    if "LTP" not in os.environ:
        world.leave_out("no LTP here: name its folder in LTP")
    top = Path(os.environ["LTP"])
    built = {
        path.name: path
        for place in FOLDERS
        for path in (top / "testcases" / place).iterdir()
        if os.access(path, os.X_OK) and path.is_file() and not path.suffix
    }
    found = {}
    for name, words in LISTS.items():
        for line in (top / name).read_text().splitlines():
            program, *arguments = line.split()[1:] or [""]
            if line.startswith(words) and program in built:
                command = " ".join([f"./{program}", *arguments])
                found[" ".join([program, *arguments])] = f"cd {built[program].parent} && {command}"
    assert len(found) > 15
    return found


def results(session: Session, tests: dict[str, str]) -> dict[str, int]:
    """The status of each test."""
    return {name: session(command).status for name, command in tests.items()}


@pytest.mark.usefixtures("etc")  # one adds a user
def test_the_same_of_them_pass(opened: Opener, tests: dict[str, str], remarks: list[str]) -> None:
    expected = results(opened(ORACLE, "root"), tests)
    for way in OTHERS:
        assert results(opened(way, "root"), tests) == expected, way
    passed = [name for name, status in expected.items() if status == PASSED]
    other = {name: status for name, status in expected.items() if status != PASSED}
    assert set(other.values()) <= {LEFT_OUT}, other
    remarks.append(f"LTP: {len(passed)} of {len(tests)} pass; left out: {', '.join(other)}")
