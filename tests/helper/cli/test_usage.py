"""The command line: help, version, and a closed or full output."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import pam_pykeyinit
from helper.conftest import HELPER, Stage, Started

pytestmark = pytest.mark.privileged

PACKAGES = "/usr/lib/python3/dist-packages"  # Debian's
COMMANDS = (
    "run", "show", "explain", "sessions", "watch", "adopt", "try", "check", "enable", "disable",
)  # fmt: skip
OF_THE_MACHINE = COMMANDS[-3:]  # their status is 2 where the status of the others is 125


def test_help_and_version(stage: Stage) -> None:
    for words in (
        ["--help"],
        *([name, option] for name in COMMANDS for option in ("--help", "-h")),
    ):
        started = stage.start("none", HELPER, *words)
        assert (started.code, started.errors) == (0, "")
        assert "usage: pykeyinit-helper" in started.output
    assert re.fullmatch(
        r"pykeyinit-helper \d+\.\d+\.\d+\n/.*/pam_pykeyinit_python\.so: Python 3\..*\n",
        stage.start("none", HELPER, "--version").output,
    )
    for words in (["nonsense"], ["show", "--nonsense"], ["--nonsense"]):
        started = stage.start("none", HELPER, *words)
        assert (started.code, started.errors.count("\n")) == (125, 1)


def test_alone_it_lists_its_commands(stage: Stage) -> None:
    alone = stage.start("none", HELPER)
    assert (alone.code, alone.output) == (125, "")
    assert re.findall(r"^  (\w+)  +\w", alone.errors, re.MULTILINE)[:10] == list(COMMANDS)


def test_a_pipe_that_is_closed_early(stage: Stage) -> None:
    script = f"{HELPER} show | head -n 1"
    started = stage.start("none", "sh", "-c", script)
    assert (started.code, started.errors) == (0, "")
    full = stage.start("none", "sh", "-c", f"{HELPER} show >/dev/full")
    assert (full.code, full.errors.count("\n")) == (125, 1)
    closed = stage.start("none", "sh", "-c", f"{HELPER} show >&-")
    assert (closed.code, closed.errors.count("\n")) == (125, 1)


def test_every_help_fits_a_terminal_and_tells_the_exit_status(stage: Stage) -> None:
    for name in COMMANDS:
        environment = {"COLUMNS": "80", "PATH": "/usr/bin:/bin"}
        printed = stage.start("none", HELPER, name, "--help", env=environment).output
        assert "Exit status:" in printed
        assert max(map(len, printed.splitlines())) <= 80
    both = ("try", "other", "alice", "--password", "--password-fd", "3")
    assert "not allowed with" in stage.start("none", HELPER, *both).errors


def test_the_locale_does_not_decide_what_bytes_mean() -> None:
    """UTF-8 mode, PEP 540: in ISO 8859-1 `explain user:gruen` would look for other bytes."""
    interpreter, flags = Path(HELPER).read_text().splitlines()[0][2:].split()
    tell = [interpreter, flags, "-c", "import sys; print(sys.flags.utf8_mode)"]
    done = subprocess.run(tell, env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([c, "--help"] for c in COMMANDS)])
def test_help_into_a_pipe_that_is_closed_or_a_disk_that_is_full(
    stage: Stage, words: list[str]
) -> None:
    full = stage.start("none", "sh", "-c", f"{HELPER} {' '.join(words)} >/dev/full")
    assert (full.code, full.errors) == (
        2 if words[0] in OF_THE_MACHINE else 125,
        "pykeyinit-helper: cannot write: No space left on device\n",
    )
    reading, writing = os.pipe()
    os.close(reading)
    closed = subprocess.run([HELPER, *words], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (closed.returncode, closed.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    "left",
    [
        "",  # nothing
        "mkdir keyutils",  # what dpkg leaves of a folder that contained another file
        "mkdir keyutils; echo 'import keyutils._keyutils' >keyutils/__init__.py",
    ],
)
def test_without_the_packages(stage: Stage, tmp_path: Path, left: str) -> None:
    """Commands that need them name the package to install; `run` works without them."""

    # With keyutils in it, if ./setup has built that.
    ours, packages = Path(pam_pykeyinit.__file__).parents[1], tmp_path / "packages"
    without = shutil.copytree(ours, tmp_path / "ours", ignore=shutil.ignore_patterns("keyutils"))
    packages.mkdir()

    def start(*words: str) -> Started:
        hide = (
            f"mount --bind {without} {ours}; cd {packages}; rm -rf keyutils; {left or ':'};"
            f" mount --bind . {PACKAGES}"
        )
        command = [
            "unshare",
            "-m",
            "--propagation",
            "unchanged",
            "sh",
            "-c",
            f'{hide}; exec $HELPER "$@"',
            "sh",
            *words,
        ]
        return stage.start("none", *command, env={"HELPER": HELPER, "PATH": "/usr/bin:/bin"})

    for words in (["show"], ["explain", "user:x"], ["try", "other", "alice"]):
        started = start(*words)
        assert (started.code, started.errors.count("\n")) == (125, 1), started.errors
        name = "keyutils" if words[0] != "try" or not left else "pam"
        assert name in started.errors.split(":")[1], started.errors
        wanted = "python3-keyutils python3-pamela python3-pampy python3-six"
        assert f"apt-get install {wanted};" in started.errors
        no_package = "in a virtual environment: pip install 'pam_pykeyinit[inspect]'; run, "
        assert (no_package in started.errors) == (name == "keyutils")
        assert started.output == ""
    assert [start(*each).code for each in (("run", "true"), ("adopt",), ("sessions",))] == [0] * 3
