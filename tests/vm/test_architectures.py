"""Machines of other processors: which programs are emulated, and what qemu and Linux are told."""

import re
import struct
import subprocess
from pathlib import Path

import pytest
import stacks

from harness import architectures, outcome, report
from harness.__main__ import place_of
from harness.architectures import ARCHITECTURES

HERE = Path(stacks.__file__).parents[1]
MACHINES = {
    name: int(number)
    for name, number in re.findall(
        r"^#define EM_(\w+)\s+(\d+)", Path("/usr/include/elf.h").read_text(), re.MULTILINE
    )
}
# As elf(5) has them: the machine, its class and its byte order.
PROGRAMS = {
    "arm64": (MACHINES["AARCH64"], 2, "<"),
    "armhf": (MACHINES["ARM"], 1, "<"),
    "ppc64el": (MACHINES["PPC64"], 2, "<"),
    "riscv64": (MACHINES["RISCV"], 2, "<"),
    "s390x": (MACHINES["S390"], 2, ">"),
    "amd64": (MACHINES["X86_64"], 2, "<"),
    "big-endian ppc64": (MACHINES["PPC64"], 2, ">"),
}
UNSHARE = ("unshare", "--mount", "--propagation", "unchanged")  # also in a chroot
# Where the kernel listens there is a file, in a mount namespace of its own.
NO_KERNEL = """mount -t tmpfs none /proc/sys/fs
    mkdir /proc/sys/fs/binfmt_misc
    : >/proc/sys/fs/binfmt_misc/register"""
EXECUTABLE, POSITION_INDEPENDENT, OBJECT = 2, 3, 1


def header(machine: int, size: int, order: str, kind: int, system: int = 0) -> bytes:
    """How a program begins."""
    word = 1 if order == "<" else 2
    return struct.pack(f"{order}4s5B7xHH", b"\x7fELF", size, word, 1, system, 0, kind, machine)


def registered(architecture: str) -> tuple[str, bytes, bytes, str]:
    """Name, magic, mask and interpreter that the kernel would be given."""
    script = f"""{NO_KERNEL}
    architecture={architecture}; . {HERE}/foreign.sh; cat /proc/sys/fs/binfmt_misc/register"""
    done = subprocess.run(
        [*UNSHARE, "sh", "-euc", script], capture_output=True, text=True, check=True
    )
    _, name, kind, offset, magic, mask, interpreter, flags = done.stdout.strip().split(":")
    assert (kind, offset, flags) == ("M", "", "F")
    return name, unescaped(magic), unescaped(mask), interpreter


def unescaped(word: str) -> bytes:
    """As the kernel reads it."""
    return word.encode().decode("unicode_escape").encode("latin-1")


def matches(program: bytes, magic: bytes, mask: bytes) -> bool:
    """Whether binfmt_misc takes it for that."""
    return all(a & m == b & m for a, b, m in zip(program, magic, mask, strict=True))


@pytest.mark.privileged
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_its_programs_are_emulated_and_no_others(name: str) -> None:
    _, magic, mask, interpreter = registered(name)
    for other, (machine, size, order) in PROGRAMS.items():
        for kind in (EXECUTABLE, POSITION_INDEPENDENT):
            for system in (0, 3):  # what GNU's compiler says of those with features of its own
                program = header(machine, size, order, kind, system)
                assert matches(program, magic, mask) == (other == name), (other, kind)
        assert not matches(header(machine, size, order, OBJECT), magic, mask)
    assert interpreter.startswith("/usr/bin/qemu-")


@pytest.mark.privileged
def test_two_at_a_time_have_entries_of_their_own() -> None:
    assert registered("s390x")[0] != registered("s390x")[0]


@pytest.mark.privileged
def test_an_entry_is_removed_when_its_shell_ends() -> None:
    """Also where it is told to end: what the kernel would get is one word, to remove it."""
    script = f"""{NO_KERNEL}
    sh -euc 'architecture=s390x; . {HERE}/foreign.sh; kill $$; exit 1' || :
    grep -l -x -e -1 /proc/sys/fs/binfmt_misc/*"""
    done = subprocess.run([*UNSHARE, "sh", "-euc", script], capture_output=True, text=True)
    assert done.stdout.startswith("/proc/sys/fs/binfmt_misc/pykeyinit-s390x-"), done.stderr


def test_results_go_over_a_console_that_is_not_the_kernels(tmp_path: Path) -> None:
    for architecture in ARCHITECTURES.values():
        words, *_ = architectures.consoles(architecture, tmp_path)
        told = dict(word.split("=") for word in words.split())
        assert told["console"] != told["results"]


def test_riscv64_is_not_in_debian_12() -> None:
    with pytest.raises(ValueError, match="there is no bookworm for riscv64"):
        architectures.on("riscv64", "bookworm")
    assert architectures.on("riscv64", "trixie").name == "trixie-riscv64"


def test_each_is_in_the_table_of_other_processors() -> None:
    for name in ARCHITECTURES:
        assert place_of(architectures.on(name, "trixie").name) == report.OTHERS
    assert place_of("bookworm-6.12") == report.FAST
    assert place_of("trixie (Vagrant)") == report.VAGRANT


def told(**records: outcome.Record) -> list[tuple[str, str, str]]:
    """What rows say of what a machine was asked besides logins."""
    asked = {"loaders": [], "scenarios": [], "claims": True, "tests": True}
    said = [{"kind": kind, **record} for kind, record in records.items()]
    return [
        (row.scenario, row.verdict.word, row.verdict.why)
        for row in outcome.rows("trixie-s390x", asked, said)
    ]


def test_claims_and_tests_have_a_row_each() -> None:
    claims = {"verdicts": {"a(7)": {"x": ["holds", ""], "y": ["holds", ""]}}}
    assert told(claims=claims, tests={"status": 0, "summary": "9 passed", "said": []}) == [
        ("claims", "pass", "2 holds"),
        ("tests", "pass", "9 passed"),
    ]
    assert [word for _, word, _ in told()] == ["not run", "not run"]


def test_what_is_wrong_on_that_processor_is_told() -> None:
    claims = {"verdicts": {"a(7)": {"x": ["FAILED", "it is 0"], "y": ["holds", ""]}}}
    tests = {"status": 1, "summary": "1 failed", "said": ["...", "FAILED tests/a.py::b"]}
    assert told(claims=claims, tests=tests) == [
        ("claims", "FAIL", "x: it is 0"),
        ("tests", "FAIL", "1 failed; FAILED tests/a.py::b"),
    ]
    assert told(claims={"wrong": "no keyctl"})[0] == ("claims", "FAIL", "no keyctl")


def test_a_table_has_columns_for_them() -> None:
    rows = outcome.rows(
        "trixie-s390x",
        {"loaders": [], "scenarios": [], "tests": True},
        [{"kind": "machine", "kernel": "6.12", "python": "3.13.5", "users": {}},
         {"kind": "tests", "status": 0, "summary": "9 passed", "said": []}],
    )  # fmt: skip
    new = report.table(rows, {"trixie-s390x": report.Ran("2026-01-02", "0.1")}, {})
    assert new.suites["trixie-s390x"]["tests of the core"] == "pass: 9 passed"
    assert not new.scenarios
