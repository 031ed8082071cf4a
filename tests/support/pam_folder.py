"""/etc/pam.d and /var/lib of one test alone."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

PAM_D, STATE = Path("/etc/pam.d"), Path("/var/lib")


@contextlib.contextmanager
def private(folder: Path) -> Iterator[Path]:
    """A copy of this world's services, and no state; the folder is for both."""
    shutil.copytree(PAM_D, folder / "pam.d")
    (folder / "lib").mkdir()
    for mine, path in ((folder / "pam.d", PAM_D), (folder / "lib", STATE)):
        subprocess.run(["mount", "--bind", mine, path], check=True)
    try:
        yield PAM_D
    finally:
        for path in (PAM_D, STATE):
            subprocess.run(["umount", path], check=True)
