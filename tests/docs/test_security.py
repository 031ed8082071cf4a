"""SECURITY.md: every promise names tests that exist."""

import re

import pytest

from support import world

TEXT = (world.ROOT / "SECURITY.md").read_text()
PROMISES = [
    line.strip("| \n").split(" | ")
    for line in TEXT.split("## Promises")[1].split("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


def is_a_test(reference: str) -> bool:
    """Whether `tests/FILE.py::TEST`, a file or a folder of tests exists in this tree."""
    path, _, name = reference.partition("::")
    file = world.ROOT / path
    if not name:
        return file.exists()
    pattern = rf"^def {re.escape(name)}\("
    return file.is_file() and re.search(pattern, file.read_text(), re.MULTILINE) is not None


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert is_a_test("tests/docs/test_security.py::test_a_test_that_is_not_there_is_noticed")
    assert not is_a_test("tests/docs/test_security.py::test_a_test")
    assert not is_a_test("tests/docs/test_insecurity.py::test_a_test")


def test_there_are_promises() -> None:
    assert len(PROMISES) >= 15


@pytest.mark.parametrize(("promise", "tests"), PROMISES)
def test_a_promise_is_held_by_tests_that_exist(promise: str, tests: str) -> None:
    named = re.findall(r"\b(?:tests|docs)/[\w/.]*\w(?:::\w+)?", tests)
    assert named, promise
    assert [reference for reference in named if not is_a_test(reference)] == []


def test_the_module_has_no_call_that_reads_a_key() -> None:
    """KEYCTL_READ is 11 (keyctl(2)); syscalls.py has the numbers of the module's calls."""
    numbers = {}
    for line in (world.ROOT / "pam_pykeyinit/kernel/syscalls.py").read_text().splitlines():
        if match := re.match(r"_([A-Z_]+) = (\d+)\b", line):
            numbers[match[1]] = int(match[2])
    assert numbers["REVOKE"] == 3
    assert 11 not in numbers.values()
