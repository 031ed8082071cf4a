"""README.md: every block of code in it is run, here or by the test that is named here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pam_pykeyinit import codes
from support import world
from support.drive import Driver
from support.mounts import wrapper

from .texts import alice, fences

TEXT = (world.ROOT / "README.md").read_text()
BLOCKS = list(fences(TEXT))
INSTALL = "tests/installed/test_install.py"

# Commands that are run elsewhere, with the test or the script that runs them.
ELSEWHERE = {
    "sudo ./setup demo": "tests/installed/test_demo.py",
    "sudo ./setup deb": "tests/deb/conftest.py",
    "sudo apt install ./dist/libpam-pykeyinit_*.deb": "tests/deb/test_python_upgrade.py",
    "./setup dist": "tests/installed/test_dist.py",
    "pip install ./dist/pam_pykeyinit-*.whl": "tests/installed/test_wheel.py",
    "sudo ./setup install": INSTALL,
    "sudo ./setup uninstall": INSTALL,
    "sudo pykeyinit-helper check": "tests/helper/stacks/test_check.py",
    "sudo ./setup test": ".ci/run",
    "./setup lint": ".ci/run",
}


def _commands() -> list[str]:
    return [
        line.split(" #")[0].rstrip()
        for kind, block in BLOCKS
        if kind == "sh"
        for line in block.splitlines()
    ]


def test_every_block_says_what_it_is() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "pam", "python", "output"}
    assert len(BLOCKS) >= 7


def test_no_command_hides_from_these_tests() -> None:
    """No test runs an indented block: fence it, as sh, pam or python."""
    prose = re.sub(r"^```.*\n((?:.*\n)*?)```$", "", TEXT, flags=re.MULTILINE)
    assert re.findall(r"^    .*", prose, re.MULTILINE) == []


def test_it_is_read_in_two_screens() -> None:
    assert len(TEXT.splitlines()) <= 150


def _without_numbers(text: str) -> list[str]:
    return [re.sub(r" *\d+", " N", line) for line in text.splitlines()]


@pytest.mark.privileged
def test_the_output_that_it_shows_is_what_is_printed() -> None:
    of_demo, of_show = (block for kind, block in BLOCKS if kind == "output")
    demo = subprocess.run(
        [world.ROOT / "setup", "demo"],
        env={"PATH": "/usr/bin:/bin", **world.kept_build()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert of_demo in demo.stdout
    script = "keyctl link @u @s; keyctl add user mail secret @u >&2; pykeyinit-helper show"
    shown = _without_numbers(alice("sh", "-ec", script).stdout)
    lines = iter(shown)  # keys of other tests may be among them
    assert all(line in lines for line in _without_numbers(of_show)), shown


@pytest.mark.parametrize("command", sorted(ELSEWHERE))
def test_what_runs_elsewhere_is_there(command: str) -> None:
    assert command in _commands()
    text = (world.ROOT / ELSEWHERE[command]).read_text()
    words = command.replace("sudo ", "").replace("./dist/libpam-pykeyinit_*.deb", "")
    words = words.replace("./dist/pam_pykeyinit-*.whl", "wheel")
    assert words.split()[-1] in text


@pytest.mark.privileged
def test_the_commands_run_in_their_order(tmp_path: Path) -> None:
    """With a copy of the machine's /etc/pam.d, so that the machine's own is unchanged."""
    stacks = Path(shutil.copytree("/etc/pam.d", tmp_path / "pam.d"))
    (tmp_path / "lib").mkdir()
    own = {"/etc/pam.d": stacks, "/var/lib": tmp_path / "lib"}
    as_root = wrapper(tmp_path / "sudo", own, "/bin/sh", "-ec")
    ran = 0
    for command in _commands():
        if command in ELSEWHERE:
            continue
        if command.startswith("sudo "):
            done = subprocess.run(
                [as_root, command.removeprefix("sudo ")],
                env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=False,
            )
        else:
            done = alice("sh", "-ec", f"keyctl link @u @s; {command}")
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        ran += 1
    assert ran >= 5


@pytest.mark.privileged
def test_the_lines_work(driver: Driver) -> None:
    lines = [block for kind, block in BLOCKS if kind == "pam"]
    assert lines
    for line in lines:
        services = driver.services(s=line.replace("optional", "required"))
        outcome = driver.run(services, "start 0 s alice\nopen 0\nclose 0\nend 0\n")
        assert outcome.codes() == [codes.PAM_SUCCESS] * 2
        assert outcome.steps[1].fields[1] == world.uid("alice")


@pytest.mark.privileged
def test_the_python_runs(tmp_path: Path) -> None:
    (script,) = (block for kind, block in BLOCKS if kind == "python")
    look = 'import os; os.execvp("keyctl", ["keyctl", "show", "@s"])'
    done = alice("/usr/bin/python3", "-B", "-c", f"{script}\n{look}")
    assert done.returncode == 0, done.stderr
    assert "pykeyinit-helper:mydaemon" in done.stdout
