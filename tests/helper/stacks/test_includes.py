"""The folders in which libpam looks for the files that a service includes by name alone."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.stacks.test_stack import really
from pykeyinit_helper.stacks import machine, stack
from pykeyinit_helper.stacks.folders import PAM_D, VENDOR, Folders

pytestmark = pytest.mark.privileged

THIS = Path("/")


def test_they_are_looked_for_in_the_machines_folder(
    pamdrive: Path, pam_note: Path, tmp_path: Path
) -> None:
    """Debian's libpam does this also for another folder; the parser does it on request.

    Since 1.7.0-6 it looks in the other folder.
    """
    elsewhere = machine.folders(THIS).includes != (PAM_D,)
    machines = Path("/etc/pam.d/pykeyinit-test-included")
    line = f"session required {pam_note} from-there\n"
    (tmp_path / "svc").write_text(f"session include {machines.name}\n")
    (tmp_path / "other").write_text("auth required pam_deny.so\n")
    (tmp_path / machines.name).write_text(line.replace("there", "here"))
    with _file_in_pam_d(tmp_path, machines.name, line):
        called, _ = really(pamdrive, tmp_path)
        folders = Folders(services=(tmp_path,), includes=(PAM_D,))
        assert [e.arguments for e in stack.read("svc", folders).of("session")] == [("from-there",)]
    assert called == f"open_session\tfrom-{'here' if elsewhere else 'there'}\n"


def test_what_only_the_vendor_has(vendors: Path, tmp_path: Path) -> None:
    """Debian's libpam finds it since 1.7.0-6."""
    (vendors / "pykeyinit-included").write_text("session required pam_permit.so\n")
    session = "import pamela; pamela.open_session('root', 'pykeyinit-test')"
    with _file_in_pam_d(tmp_path, "pykeyinit-test", "session include pykeyinit-included\n"):
        (entry,) = stack.read("pykeyinit-test", machine.folders(THIS)).of("session")
        opened = subprocess.run([sys.executable, "-c", session], capture_output=True, text=True)
    assert (opened.returncode == 0) == (not entry.fault), opened.stderr


@pytest.mark.parametrize(
    ("libpam", "version", "includes"),
    [
        (b"@include", "1.5.2-6+deb12u2", (PAM_D,)),
        (b"@include", "1.7.0-5+deb13u1", (PAM_D,)),
        (b"@include", "1.7.0-6", (PAM_D, *VENDOR)),
        (b"@include", "1.7.2-1", (PAM_D, *VENDOR)),
        (b"@include", None, (PAM_D,)),
        (b"", None, (PAM_D, *VENDOR)),  # not Debian's
    ],
)
def test_of_each_version(
    libpam: bytes, version: "str | None", includes: "tuple[Path, ...]", tmp_path: Path
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libpam.so.0").write_bytes(libpam)
    if version:
        (tmp_path / "var/lib/dpkg").mkdir(parents=True)
        (tmp_path / "var/lib/dpkg/status").write_text(
            f"Package: libpam0g\nStatus: install ok installed\nVersion: {version}\n"
        )
    assert machine.folders(tmp_path).includes == includes


@contextlib.contextmanager
def _file_in_pam_d(scratch: Path, name: str, text: str) -> Iterator[None]:
    folder = Path(shutil.copytree(PAM_D, scratch / "machine"))
    (folder / name).write_text(text)
    subprocess.run(["mount", "--bind", folder, PAM_D], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", PAM_D], check=True)
