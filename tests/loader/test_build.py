"""The properties of pam_pykeyinit.so and pam_pykeyinit_python.so, as installed."""

import platform
import re
import subprocess
from pathlib import Path

import pytest

from support import native, world

pytestmark = pytest.mark.privileged

HANDLERS = {
    "pam_sm_acct_mgmt",
    "pam_sm_authenticate",
    "pam_sm_chauthtok",
    "pam_sm_close_session",
    "pam_sm_open_session",
    "pam_sm_setcred",
}
BOTH = pytest.mark.parametrize(
    "file", [native.module(), native.interpreter()], ids=["module", "python"]
)


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _defined(file: Path) -> set[str]:
    lines = _output("nm", "-D", "--defined-only", file).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def _wanted(file: Path) -> set[str]:
    lines = _output("nm", "-uD", file).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def _needed(file: Path) -> set[str]:
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\.so", _output("readelf", "-dW", file)))


def test_only_the_service_functions_are_exported() -> None:
    assert _defined(native.module()) == HANDLERS
    (answer,) = _defined(native.interpreter())
    assert answer.startswith("answer_")


def test_python_is_inside_and_nowhere_else() -> None:
    """It uses no symbol of Python from the dynamic linker or another Python of the program."""
    for file in (native.module(), native.interpreter()):
        assert not [name for name in _wanted(file) if name.lstrip("_").startswith("Py")]
        needed = _needed(file) - {"libpam", "libc", "libdl", "libpthread"}
        assert not [name for name in needed if not name.startswith("ld-linux")]


@BOTH
def test_all_that_it_calls_is_there(file: Path) -> None:
    """And libm, which the Python inside needs for floating-point numbers, is not even mapped."""
    assert "undefined" not in _output("ldd", "-r", file)
    assert "libm" not in _needed(file)


def test_the_module_itself_is_small() -> None:
    """It fits where the other file does not."""
    assert native.module().stat().st_size < 50_000
    assert native.interpreter().stat().st_size < 10 << 20


def test_dangerous_functions_are_not_used() -> None:
    absent = (
        "setenv putenv getenv setlocale openlog signal sigaction system popen execve fork exit"
    )
    assert not _wanted(native.module()) & {
        *absent.split(),
        "strcpy",
        "strcat",
        "sprintf",
        "setuid",
        "setreuid",
        "seteuid",
    }


@BOTH
def test_what_the_linker_makes_sure_of(file: Path) -> None:
    dynamic = _output("readelf", "-dW", file)
    segments = _output("readelf", "-lW", file)

    assert "BIND_NOW" in dynamic
    for absent in ("TEXTREL", "RPATH", "RUNPATH"):
        assert absent not in dynamic
    assert "GNU_RELRO" in segments
    assert [line.split()[-2] for line in segments.splitlines() if "GNU_STACK" in line] == ["RW"]
    loaded = [line.split() for line in segments.splitlines() if line.split()[:1] == ["LOAD"]]
    flags = ["".join(words[6:-1]) for words in loaded]
    assert flags
    assert not [words for words in flags if "W" in words and "E" in words]


def test_python_stays_in_memory() -> None:
    """It is never finalized, and threads may have an entry of it: it must not be unloaded."""
    assert "NODELETE" in _output("readelf", "-dW", native.interpreter())


@BOTH
def test_what_the_compiler_makes_sure_of(file: Path) -> None:
    """The stack protector, and fortified functions, which know the size of their buffers."""
    wanted = _wanted(file)
    assert "__stack_chk_fail" in wanted
    assert {name for name in wanted if re.fullmatch(r"__\w+_chk", name)}


def _code(file: Path) -> str:
    return _output("objdump", "-d", "--no-show-raw-insn", file)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "i686"}, reason="of x86")
def test_the_stack_is_probed_and_branches_end_where_they_may() -> None:
    """-fstack-clash-protection touches each page of a large frame; -fcf-protection."""
    code = _code(native.module())
    assert re.search(r"or[lqb]? +\$0x0,(0x[0-9a-f]+)?\(%[er]sp", code)
    for file in (native.module(), native.interpreter()):
        for name in _defined(file):
            begin = _output("objdump", "-d", "--no-show-raw-insn", f"--disassemble={name}", file)
            first = begin[begin.index(f"<{name}>:") :].splitlines()[1]
            assert first.split()[-1] in {"endbr64", "endbr32"}, name


def test_branches_end_where_they_may() -> None:
    if platform.machine() != "aarch64":
        world.leave_out("of arm64")
    assert re.search(r"\b(bti|paciasp)\b", _code(native.module()))


def test_each_file_can_be_read_in_one_sitting() -> None:
    for source in native.SOURCES.glob("*.[ch]"):
        assert len(source.read_text().splitlines()) <= 250, source.name
