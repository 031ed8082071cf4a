"""Files with secrets for `run --credential`, and what a program reads of its keys."""

import os
import subprocess
from pathlib import Path

from helper.conftest import UID, Started
from support import world

SECRET = "s3cret-" + "0123456789abcdef" * 256
GIVEN = "--credential=token={file}"
# The description and the content of the key in the program's session keyring.
READ = "key=$(keyctl search @s user token) && keyctl rdescribe $key && keyctl pipe $key"
AS_UID = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")


class Secrets:
    """A folder in which every user can open a file by its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o711)

    def file(
        self, content: "str | bytes" = SECRET, *, mode: int = 0o600, owner: int = 0, name: str = ""
    ) -> Path:
        """A new file, with its mode and owner."""
        path = self.folder / (name or f"file{len(list(self.folder.iterdir()))}")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.chown(path, owner, owner)
        path.chmod(mode)
        return path


def new_folder() -> Path:
    """The path of a folder that does not exist yet, where every user can get to it."""
    top = world.folder()
    assert top
    return top / f"secrets-{len(list(top.glob('secrets-*')))}"


def as_uid(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as the user of the program, in a process that does not possess its keys."""
    return subprocess.run([*AS_UID, *command], capture_output=True, text=True, check=False)


def refused(started: Started, *texts: str) -> None:
    """One line with these texts, nothing of the secret, and no program."""
    assert (started.code, started.output) == (125, ""), started.errors
    assert started.errors.count("\n") == 1, started.errors
    assert all(text in started.errors for text in texts), started.errors
    assert "s3cret" not in started.errors
