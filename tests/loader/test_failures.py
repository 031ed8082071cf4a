"""Whatever is wrong with the interpreter or our code: an error code and one line, no more.

Never PAM_SUCCESS, for nothing was done; never PAM_IGNORE, for nobody could tell.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support import mounts, native, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

CRED_ERR, SESSION_ERR, SERVICE_ERR = 17, 14, 3
SCRIPT = "start 0 s alice\nestablish 0\nopen 0\nclose 0\nend 0\n"

Break = Callable[[Path], None]
Run = Callable[..., list[str]]


@pytest.fixture
def run(pamdrive: Path, tmp_path: Path, journal: Journal) -> Run:
    """Open and close a session where some paths hold other files; what was logged."""

    def run_with(changed: dict[str, Path], *more: str) -> list[str]:
        program = mounts.wrapper(tmp_path / "drive", changed, *more, str(pamdrive))
        driver = Driver(program, tmp_path)
        line = "pam_pykeyinit.so force revoke"
        services = driver.services(s=f"auth required {line}\nsession required {line}")
        outcome = driver.run(services, SCRIPT)
        assert outcome.codes() == [CRED_ERR, SESSION_ERR, SESSION_ERR]
        assert all(
            "error" in step.session or step.session == outcome.steps[0].session
            for step in outcome.steps
        ), "a keyring was made"
        return [f"{line.level} {line.text}" for line in journal.ours()]

    return run_with


def _answer(expression: str) -> Break:
    def change(package: Path) -> None:
        with (package / "module.py").open("a") as file:
            for name in ("setcred", "open_session", "close_session"):
                file.write(f"\nHandle.pam_sm_{name} = lambda *ignored: {expression}\n")

    return change


def _raising(exception: str) -> Break:
    return _answer(f"(_ for _ in ()).throw({exception})")


def _append(text: str) -> Break:
    def change(package: Path) -> None:
        with (package / "module.py").open("a") as file:
            file.write(text)

    return change


NOT_A_CODE = "the answer is not a PAM code"
BROKEN: dict[str, tuple[Break, str]] = {
    "not there": (shutil.rmtree, "No such file or directory"),
    "module missing": (lambda package: (package / "session.py").unlink(), "ModuleNotFoundError("),
    "syntax error": (_append("\nwork = = 1\n"), "SyntaxError("),
    "control characters": (
        _append("\nraise ValueError('a\\nb\\x1b[31m')\n"),
        r"ValueError('a\nb\x1b[31m')",
    ),
    "handlers missing": (
        _append(
            "\ndel Handle.pam_sm_setcred, Handle.pam_sm_open_session"
            "\ndel Handle.pam_sm_close_session\n"
        ),
        "AttributeError(",
    ),
    "no Handle": (_append("\ndel Handle\n"), "ImportError("),
    "cannot be made": (_append("\nHandle = 3\n"), "TypeError("),
    "answers True": (_answer("True"), NOT_A_CODE),
    "answers False": (_answer("False"), NOT_A_CODE),
    "answers None": (_answer("None"), NOT_A_CODE),
    "answers a str": (_answer("'0'"), NOT_A_CODE),
    "answers 2**32": (_answer("2**32"), NOT_A_CODE),
    "answers 2**64": (_answer("2**64"), NOT_A_CODE),
    "answers -1": (_answer("-1"), NOT_A_CODE),
    "answers 32": (_answer("32"), NOT_A_CODE),
    "raises SystemExit": (_raising("SystemExit(0)"), "SystemExit(0)"),
    "raises KeyboardInterrupt": (_raising("KeyboardInterrupt()"), "KeyboardInterrupt()"),
    "raises MemoryError": (_raising("MemoryError()"), "MemoryError()"),
    "exits when imported": (_append("\nraise SystemExit(0)\n"), "SystemExit(0)"),
    "an error that cannot be printed": (
        _append(
            "\nclass Bad(Exception):\n    def __repr__(self):\n        return 1 / 0\nraise Bad\n"
        ),
        "Bad",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_our_code_is_broken(name: str, tmp_path: Path, run: Run) -> None:
    change, expected = BROKEN[name]
    parent = tmp_path / "packages"
    change(native.copy(parent / "pam_pykeyinit"))

    lines = run({str(native.package().parent): parent})

    assert len(lines) == 3, lines
    assert all(line.startswith("ERR ") and expected in line for line in lines), lines
    assert all(line.isprintable() and line.isascii() for line in lines)


def _chown(path: Path) -> None:
    os.chown(path, world.uid("alice"), 0)


def _chgrp(path: Path) -> None:
    path.chmod(0o775)
    os.chown(path, 0, world.gid("alice"))


@pytest.mark.parametrize("where", ["pam_pykeyinit", "."])
@pytest.mark.parametrize(
    "change", [_chown, _chgrp, lambda path: path.chmod(0o757)], ids=["owner", "group", "others"]
)
def test_somebody_else_could_change_our_code(
    where: str, change: Break, tmp_path: Path, run: Run
) -> None:
    parent = tmp_path / "packages"
    package = native.copy(parent / "pam_pykeyinit")
    (package / "module.py").write_text(f"open('{tmp_path}/was run', 'w')\n")
    change(parent / where)

    lines = run({str(native.package().parent): parent})

    assert len(lines) == 3
    assert all(line.startswith("ALERT ") and "is not root's alone" in line for line in lines)
    assert not (tmp_path / "was run").exists()


def test_a_link_to_what_somebody_else_could_change(tmp_path: Path, run: Run) -> None:
    parent = tmp_path / "packages"
    elsewhere = tmp_path / "elsewhere"
    native.copy(elsewhere / "pam_pykeyinit")
    parent.mkdir()
    (parent / "pam_pykeyinit").symlink_to(elsewhere / "pam_pykeyinit")
    elsewhere.chmod(0o777)

    lines = run({str(native.package().parent): parent})

    assert len(lines) == 3
    assert all(line.startswith("ALERT ") for line in lines)


def test_libpython_is_missing(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").touch()

    lines = run({str(native.LIBPYTHON): tmp_path / "empty"})

    assert len(lines) == 3
    assert all("cannot use Python" in line and "file too short" in line for line in lines), lines


def test_the_standard_library_is_missing(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()

    lines = run({str(native.STDLIB): tmp_path / "empty"})

    assert len(lines) == 3
    assert all("cannot use Python" in line for line in lines), lines


@pytest.mark.parametrize("megabytes", [16, 18, 20, 24, 28, 32])
def test_memory_is_exhausted(
    megabytes: int, pamdrive: Path, tmp_path: Path, journal: Journal
) -> None:
    limit = f"--as={megabytes << 20}"
    program = mounts.wrapper(tmp_path / "drive", {}, "prlimit", limit, str(pamdrive))
    driver = Driver(program, tmp_path)
    services = driver.services(s="session required pam_pykeyinit.so force revoke")

    opened, closed = driver.run(services, "start 0 s alice\nopen 0\nclose 0\nend 0\n").steps[1:3]

    if opened.code == 0:  # it was enough
        assert opened.fields[1] == world.uid("alice")
        assert journal.ours() == []
    else:
        assert opened.code == SESSION_ERR
        assert closed.code == SESSION_ERR
        assert len(journal.ours()) == 2
