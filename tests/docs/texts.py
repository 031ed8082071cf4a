"""Code in README.md and in manual pages, to be run unchanged."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support import world

PAGES = {
    "pykeyinit.7": world.ROOT / "pam_pykeyinit/pykeyinit.7",
    "pykeyinit-helper.8": world.ROOT / "helper/pykeyinit-helper.8",
}


def fences(text: str) -> Iterator[tuple[str, str]]:
    """The code blocks of a Markdown text: the words after ```, and the block."""
    for match in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE):
        yield match[1], match[2]


def examples(page: Path) -> list[str]:
    """The literal blocks of a page's EXAMPLES, as rendered."""
    section = page.read_text().split(".Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    blocks = re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", section, re.MULTILINE)
    return [block.replace("\\e", "\\") for block in blocks]


def alice(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as alice, in a login: with a session keyring of its own."""
    line = ["/usr/bin/keyctl", "session", "-", *command]
    return _as_alice(line)


def alice_without_session(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as alice, as a daemon: with the user-session keyring as the fallback."""
    start = ["/usr/local/bin/pykeyinit-helper", "run", "--session", "user-session", "--", *command]
    return _as_alice(start)


def _as_alice(line: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        line,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        user=world.uid("alice"),
        group=world.gid("alice"),
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd="/",
    )
