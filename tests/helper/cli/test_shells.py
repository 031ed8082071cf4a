"""The completion of zsh and fish, in the real shells; all three match the help texts."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import world

from .test_completion import offered as by_bash

pytestmark = pytest.mark.privileged

STAGE = "stage/usr/local/share"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/proc/none"}
COMMANDS = (
    "run", "show", "explain", "sessions", "watch", "adopt", "try", "check", "enable", "disable",
)  # fmt: skip


def _installed(name: str) -> Path:
    folder = world.folder()
    assert folder
    return folder / STAGE / name


def _output(*command: "str | Path") -> str:
    found = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd="/"
    )
    assert found.stderr == ""
    return found.stdout


def by_fish(line: str) -> set[str]:
    """The words that fish offers at the end of a command line."""
    file = _installed("fish/vendor_completions.d/pykeyinit-helper.fish")
    code = f"source {file}; complete --do-complete='pykeyinit-helper {line}'"
    with tempfile.TemporaryDirectory() as home:  # fish 4 never ends without one
        fish = ("/usr/bin/env", f"HOME={home}", "/usr/bin/fish", "--no-config", "-c", code)
        lines = _output(*fish).splitlines()
    return {line.split("\t")[0].rstrip("/") for line in lines}


# A terminal for zsh: the /dev of a world allows no process to open one.
TERMINAL = """
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount --bind /dev/pts/ptmx /dev/ptmx
exec "$@"
"""


def by_zsh(line: str) -> set[str]:
    """The words that zsh offers; for a path, its last part."""
    folder = _installed("zsh/site-functions/_pykeyinit-helper").parent
    script = world.ROOT / "tests/helper/cli/complete.zsh"
    alone = ("/usr/bin/unshare", "--mount", "--propagation=unchanged")
    shell = (*alone, "/bin/sh", "-ec", TERMINAL, "-", "/usr/bin/zsh", "-f")
    return set(_output(*shell, script, folder, f"pykeyinit-helper {line}").split())


@pytest.mark.parametrize("shell", [by_fish, by_zsh])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", " ".join(COMMANDS)),
        ("sh", "show"),
        ("run --session ", "keep new user-session name="),
        ("run --link p", "persistent"),
        ("run --user ali", "alice"),
        ("run --user alice --st", "--strict"),
        ("run --credential token=/etc/nssw", "/etc/nsswitch.conf"),
        ("run --credential token=/x --st", "--strict"),
        ("run --credential-timeout ", ""),
        ("run --credential-timeout 90 runuse", "runuser"),
        ("run --quiet runuse", "runuser"),
        ("run --user alice -- runuse", "runuser"),
        ("run -- cat /etc/shado", "/etc/shadow /etc/shadow-"),
        ("show @u", "@u @us"),
        ("explain ke", "keyring:"),
        ("watch @u", "@u @us"),
        ("try othe", "other"),
        ("try other ali", "alice"),
        ("try --confdir /etc/pam", "/etc/pam.d"),
        ("check --root /etc/pam", "/etc/pam.d"),
        ("check --color=n", "never"),
        ("enable othe", "other"),
        ("enable other othe", "other"),
        ("disable --user ali", "alice"),
    ],
)
def test_what_is_offered(shell: "type", line: str, expected: str) -> None:
    wanted = set(expected.split())
    if "/etc/shadow" in wanted:
        wanted = {f"/{path}" for path in ("etc/shadow", "etc/shadow-") if Path("/", path).exists()}
    found = {word.removeprefix("--color=").removeprefix("token=") for word in shell(line)}
    if shell is by_zsh:
        wanted = {os.path.basename(word).rstrip(":") for word in wanted}  # noqa: PTH119
    assert found == wanted


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_the_help_is_offered(command: str) -> None:
    text = _output("/usr/local/bin/pykeyinit-helper", command, "--help")
    named = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", text, re.MULTILINE))
    assert "--help" in named
    assert set(by_bash(*f"{command} --".split())) >= named
    assert by_fish(f"{command} --") >= named
    assert by_zsh(f"{command} --") >= named
