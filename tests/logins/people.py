"""Logins of real programs, with a process inside that a test controls."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support import world

PERSON = Path(__file__).with_name("person.py")


class Login:
    """One login, from `Login(...)` to `logout`."""

    def __init__(self, command: list[str], scratch: Path) -> None:
        """Log in with this command, which runs its arguments as the user."""
        program = scratch / "person.py"
        shutil.copy(PERSON, program)  # the user may be unable to read the tree
        self._scratch = scratch
        self._process = subprocess.Popen(
            [*command, f"exec /usr/bin/python3 -I {program}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            text=True,
            cwd="/",
        )

    def __call__(self, line: str) -> dict[str, Any]:
        """Send the program a command, and return its answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._process.communicate()
        return dict(json.loads(answer))

    def logout(self) -> int:
        """End the program, and so the login; return the exit status."""
        _, errors = self._process.communicate(timeout=30)
        assert errors == ""
        return self._process.returncode

    def leave(self, name: str, patience: float = 0) -> None:
        """Leave a process for `left`.

        It waits, because a daemon closes the session some time after its client has disconnected.
        """
        self(f"leave {self._scratch / name} {patience}")

    def left(self, name: str) -> dict[str, Any]:
        """The state that the remaining process saw after the logout."""
        file = self._scratch / name
        Path(f"{file}.ask").touch()
        for _ in range(2000):
            if file.exists():
                return plain(json.loads(file.read_text()))
            time.sleep(0.01)
        raise AssertionError("the process that was left behind does not answer")


@contextlib.contextmanager
def pam_services(folder: Path, **stacks: str) -> Iterator[None]:
    """Mount a folder with these service files over this world's /etc/pam.d."""
    folder.mkdir()
    for name, text in {"other": "auth required pam_deny.so\n", **stacks}.items():
        (folder / name.replace("_", "-")).write_text(text)
    subprocess.run(["mount", "--bind", folder, "/etc/pam.d"], check=True)
    try:
        yield
    finally:
        # Unmount lazily: a program that is closing a session may be reading there.
        subprocess.run(["umount", "--lazy", "/etc/pam.d"], check=True)


def stack(line: str, *, auth: str = "pam_permit.so") -> str:
    """A service file that admits every user, and has this session line."""
    return f"""\
auth     required {auth}
auth     required pam_permit.so
account  required pam_permit.so
session  required {line}
session  required pam_permit.so
"""


def plain(seen: dict[str, Any]) -> dict[str, Any]:
    """The answer to `look` without what differs between sessions, to compare modules."""
    return {name: value for name, value in seen.items() if name != "serial"}


def own(user: str) -> dict[str, Any]:
    """The answer to `look` in a login with a correct session keyring."""
    uid, gid = world.uid(user), world.gid(user)
    return {
        "ids": [uid] * 3 + [gid] * 3,
        "description": f"keyring;{uid};{gid};3f030000;_ses",
        "links": [f"keyring;{uid};65534;1f3f0000;_uid.{uid}"],
    }


def revoked(user: str) -> dict[str, Any]:
    """The answer to `look` from a process of a user whose session has ended."""
    return {"ids": own(user)["ids"], "error": "EKEYREVOKED"}
