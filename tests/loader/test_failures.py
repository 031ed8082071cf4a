"""If the interpreter or our code fails, there is an error code and one line.

Never PAM_SUCCESS, because nothing was done; never PAM_IGNORE, which would hide the failure.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from support import mounts, native, world
from support.drive import Driver
from support.journal import Journal
from support.workshop import workshop

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

CRED_ERR, SESSION_ERR, SERVICE_ERR = 17, 14, 3
SCRIPT = "start 0 s alice\nestablish 0\nopen 0\nclose 0\nend 0\n"

EMPTY = "; an empty session keyring replaces the caller's"

Run = Callable[[dict[str, Path]], list[str]]


@pytest.fixture
def run(pamdrive: Path, tmp_path: Path, journal: Journal) -> Run:
    """Open and close a session where other files replace some paths; return the log."""

    def run_with(changed: dict[str, Path]) -> list[str]:
        program = mounts.wrapper(tmp_path / "drive", changed, str(pamdrive))
        driver = Driver(program, tmp_path)
        line = "pam_pykeyinit.so force revoke"
        services = driver.services(s=f"auth required {line}\nsession required {line}")
        outcome = driver.run(services, f"prep own bob\n{SCRIPT}")
        assert outcome.codes() == [CRED_ERR, SESSION_ERR, SESSION_ERR]
        planted, _, established, opened, *_ = outcome.steps
        for step in (established, opened):  # `force`: the caller's keyring does not stay
            assert step.session["serial"] != planted.session["serial"]
            assert step.session["links"] == []
            assert step.fields[1] == world.uid("alice")
            assert step.ids == planted.ids
        lines = [f"{line.level} {line.text}" for line in journal.ours()]
        assert [line.endswith(EMPTY) for line in lines] == [True, True, False]
        return lines

    return run_with


def _answer(expression: str) -> str:
    return "".join(
        f"\nHandle.pam_sm_{name} = lambda *ignored: {expression}\n"
        for name in ("setcred", "open_session", "close_session")
    )


def _raising(exception: str) -> str:
    return _answer(f"(_ for _ in ()).throw({exception})")


# Of variables, because the compiler calculates with constants itself.
SUMS = "(lambda x, z: [x % 2, x**0.5, round(x), z ** (0.5 + 1j), abs(z)])(7.51, 1 + 2j)"
SUMMED = [7.51 % 2, 7.51**0.5, 8, (1 + 2j) ** (0.5 + 1j), abs(1 + 2j)]
NOT_A_CODE = "the answer is not a PAM code"
# Text that is appended to module.py, and the log.
BROKEN: dict[str, tuple[str, str]] = {
    "a name that is not there": (
        "\nfrom . import elsewhere\n",
        "ImportError('no module elsewhere')",
    ),
    "a module of a full Python": ("\nimport os\n", "ImportError('no built-in module os')"),
    "control characters": (
        ("\nraise ValueError('a\\nb\\x1b[31m')\n"),
        r"ValueError('a\nb\x1b[31m')",
    ),
    "handlers missing": (
        (
            "\ndel Handle.pam_sm_setcred, Handle.pam_sm_open_session"
            "\ndel Handle.pam_sm_close_session\n"
        ),
        "AttributeError(",
    ),
    "no Handle": (("\ndel Handle\n"), "ImportError("),
    "cannot be made": (("\nHandle = 3\n"), "TypeError("),
    "answers True": (_answer("True"), NOT_A_CODE),
    "answers False": (_answer("False"), NOT_A_CODE),
    "answers None": (_answer("None"), NOT_A_CODE),
    "answers a str": (_answer("'0'"), NOT_A_CODE),
    "answers 2**31-1": (_answer("2**31 - 1"), NOT_A_CODE),
    "answers 2**64": (_answer("2**64"), "too large"),
    "answers -1": (_answer("-1"), NOT_A_CODE),
    "answers 32": (_answer("32"), NOT_A_CODE),
    "raises SystemExit": (_raising("SystemExit(0)"), "SystemExit(0)"),
    "raises KeyboardInterrupt": (_raising("KeyboardInterrupt()"), "KeyboardInterrupt()"),
    "raises MemoryError": (_raising("MemoryError()"), "MemoryError()"),
    "exits when imported": (("\nraise SystemExit(0)\n"), "SystemExit(0)"),
    # No login has such arithmetic: libm is opened for it.
    "numbers with a fraction": (f"\nraise ValueError({SUMS})\n", repr(SUMMED)),
    "an error that cannot be printed": (
        ("\nclass Bad(Exception):\n    def __repr__(self):\n        return 1 / 0\nraise Bad\n"),
        "Bad",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_our_code_is_broken(name: str, run: Run) -> None:
    addition, expected = BROKEN[name]
    source = (world.ROOT / "pam_pykeyinit/module.py").read_text()

    lines = run(workshop().build({"module.py": source + addition}))

    assert all(line.startswith("ERR ") and expected in line for line in lines), lines
    assert all(line.isprintable() and line.isascii() for line in lines)


def test_the_file_with_python_is_missing(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").touch()

    lines = run({str(native.interpreter()): tmp_path / "empty"})

    assert all(
        "cannot load Python: " in line and "file too short" in line for line in lines
    ), lines


def test_the_file_with_python_is_of_another_version(run: Run) -> None:
    """As for a moment during an upgrade: the two versions do not call each other."""
    source = (world.ROOT / "pam_pykeyinit/loader/call.h").read_text()
    other = "#undef ANSWER\n#define ANSWER answer_9\n" + source
    built = workshop().build({"loader/call.h": other})

    lines = run({str(native.interpreter()): built[str(native.interpreter())]})

    assert all("undefined symbol: answer_" in line for line in lines), lines


@pytest.mark.parametrize("megabytes", [16, 18, 20, 24, 28, 32])
def test_memory_is_exhausted(
    megabytes: int, pamdrive: Path, tmp_path: Path, journal: Journal
) -> None:
    limit = f"--as={megabytes << 20}"
    program = mounts.wrapper(tmp_path / "drive", {}, "prlimit", limit, str(pamdrive))
    driver = Driver(program, tmp_path)
    services = driver.services(s="session required pam_pykeyinit.so force revoke")

    opened, closed = driver.run(services, "start 0 s alice\nopen 0\nclose 0\nend 0\n").steps[1:3]

    assert opened.fields[1] == world.uid("alice")
    if opened.code == 0:  # it was enough
        assert journal.ours() == []
    else:
        assert opened.code == SESSION_ERR
        assert closed.code == SESSION_ERR
        assert len(journal.ours()) == 2
