"""Session keyrings that exist as long as a test needs them."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helper.conftest import HELPER
from support import world

SCHEMA = json.loads((world.ROOT / "docs/sessions.schema.json").read_text())


@contextlib.contextmanager
def session(uid: int, script: str = "", name: str = "-") -> Iterator[int]:
    """A session keyring of this uid, after a script ran in it; yields its serial number."""
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    shell = f"keyctl id @s; {{ {script or ':'}; }} >&2; echo ready; read -r line"
    holder = subprocess.Popen(
        [*become, "keyctl", "session", name, "sh", "-c", shell],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert holder.stdout
    try:
        serial = int(holder.stdout.readline())
        assert holder.stdout.readline() == "ready\n"
        yield serial
    finally:
        holder.communicate("\n")


def told(*before: str, code: int = 0, **more: Any) -> dict[str, Any]:
    """The output of `sessions --json`, with these words before the command."""
    done = subprocess.run(
        [*before, HELPER, "sessions", "--json"], capture_output=True, text=True, **more
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("Joined ")]
    assert (done.returncode, errors) == (code, [])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def of(uid: int, found: dict[str, Any]) -> dict[str, Any]:
    """The part about this uid."""
    (user,) = (user for user in found["users"] if user["uid"] == uid)
    assert isinstance(user, dict)
    return user


def rows(uid: int) -> list[str]:
    """The user's rows of /proc/keys, without the usage counts."""
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    listed = subprocess.run([*become, "cat", "/proc/keys"], capture_output=True, text=True).stdout
    lines = [line.split(None, 7) for line in listed.splitlines()]
    return sorted(" ".join(line[:2] + line[3:]) for line in lines if line[5] == str(uid))


def used(uid: int) -> tuple[int, int]:
    """The keys and bytes that are charged to the quota."""
    for line in Path("/proc/key-users").read_text().splitlines():
        user, _, figures = line.partition(":")
        if int(user) == uid:
            _, _, keys, size = figures.split()
            return int(keys.split("/")[0]), int(size.split("/")[0])
    return 0, 0
