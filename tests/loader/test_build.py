"""What pam_pykeyinit.so is, as the linker left it."""

import subprocess
from pathlib import Path

import pytest

from support import native

pytestmark = pytest.mark.privileged

HANDLERS = {
    "pam_sm_acct_mgmt",
    "pam_sm_authenticate",
    "pam_sm_chauthtok",
    "pam_sm_close_session",
    "pam_sm_open_session",
    "pam_sm_setcred",
}


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_only_the_service_functions_are_exported() -> None:
    lines = _output("nm", "-D", "--defined-only", native.module()).splitlines()

    assert {line.split()[-1] for line in lines} == HANDLERS


def test_nothing_of_python_is_bound_by_the_dynamic_linker() -> None:
    wanted = [line.split()[-1] for line in _output("nm", "-uD", native.module()).splitlines()]

    assert "dlsym@GLIBC_2.34" in wanted or any(name.startswith("dlsym") for name in wanted)
    assert not [name for name in wanted if name.lstrip("_").startswith("Py")]
    needed = [
        line for line in _output("readelf", "-d", native.module()).splitlines() if "NEEDED" in line
    ]
    assert needed
    assert not [line for line in needed if "python" in line]


def test_dangerous_functions_are_not_used() -> None:
    wanted = {
        line.split()[-1].split("@")[0]
        for line in _output("nm", "-uD", native.module()).splitlines()
    }

    absent = (
        "setenv putenv getenv setlocale openlog signal sigaction system popen execve fork exit"
    )
    assert not wanted & {
        *absent.split(),
        "strcpy",
        "strcat",
        "sprintf",
        "setuid",
        "setreuid",
        "seteuid",
    }


def test_it_is_hardened() -> None:
    dynamic = _output("readelf", "-dW", native.module())
    segments = _output("readelf", "-lW", native.module())
    symbols = _output("nm", "-uD", native.module())

    assert "BIND_NOW" in dynamic
    assert "NODELETE" in dynamic
    assert "TEXTREL" not in dynamic
    assert "RPATH" not in dynamic
    assert "RUNPATH" not in dynamic
    assert "GNU_RELRO" in segments
    assert [line.split()[-2] for line in segments.splitlines() if "GNU_STACK" in line] == ["RW"]
    assert "__stack_chk_fail" in symbols
    assert "_chk@" in symbols.replace("__stack_chk_fail", "")


def test_so_can_what_it_trusts() -> None:
    assert len(native.SOURCE.with_name("trust.c").read_text().splitlines()) <= 90


def test_it_can_be_read_in_one_sitting() -> None:
    source = native.SOURCE.read_text()
    stripped = _output("gcc", "-fpreprocessed", "-dD", "-E", "-P", "-w", native.SOURCE)

    assert len([line for line in stripped.splitlines() if line.strip()]) <= 376
    assert len(source.splitlines()) <= 470
