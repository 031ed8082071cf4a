"""`run --credential`: what is refused.  The program is not started, and no secret is printed."""

import functools
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import pykeyinit_helper
from helper.conftest import AS, HELPER, UID, Stage, Started
from helper.run.secret_files import AS_UID, Secrets, refused
from helper.run.test_supervises import until
from support import world

pytestmark = pytest.mark.privileged


def symbolic_link(secrets: Secrets) -> Path:
    link = secrets.folder / "link"
    link.symlink_to(secrets.file())
    return link


def fifo(secrets: Secrets) -> Path:
    os.mkfifo(secrets.folder / "fifo", 0o600)
    return secrets.folder / "fifo"


def a_socket(secrets: Secrets) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(secrets.folder / "socket"))
    return secrets.folder / "socket"


REFUSED: dict[str, tuple[Callable[[Secrets], Path], str]] = {
    "symbolic link": (symbolic_link, "is a symbolic link: name the file itself"),
    "FIFO": (fifo, "is not a regular file"),
    "socket": (a_socket, "cannot be opened"),
    "folder": (lambda secrets: secrets.folder, "is not a regular file"),
    "device": (lambda _: Path("/dev/zero"), "is not a regular file"),
    "missing": (lambda secrets: secrets.folder / "none", "No such file or directory"),
    "the user's": (lambda s: s.file(owner=int(UID)), f"belongs to uid {UID}: it must belong to"),
    "nobody's": (lambda secrets: secrets.file(owner=65534), "belongs to uid 65534"),
    **{
        f"{mode:o}": (functools.partial(Secrets.file, mode=mode), f"(mode {mode:04o})")
        for mode in (0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o4640)
    },
    "empty": (lambda secrets: secrets.file(b""), "has 0 bytes: a key has 1 to 32767"),
    "too large": (lambda s: s.file("s3cret!!" * 4096), "has 32768 bytes: a key has 1 to 32767"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("options", [(), ("--user=alice",)])
def test_a_file_that_is_refused(
    stage: Stage, secrets: Secrets, kind: str, options: tuple[str, ...]
) -> None:
    make, text = REFUSED[kind]
    command = (HELPER, "run", *options, f"--credential=token={make(secrets)}", "echo", "started")
    refused(stage.start("none", *command), "--credential token: ", text, "nothing was started")


def test_one_refused_file_of_two(stage: Stage, secrets: Secrets) -> None:
    both = (f"--credential=a={secrets.file()}", f"--credential=b={secrets.file(mode=0o644)}")
    refused(stage.start("none", *AS, *both, "echo"), "--credential b: ")


def test_of_an_ordinary_caller_the_files_are_their_own(stage: Stage, secrets: Secrets) -> None:
    """root's are not readable, and those of others are refused although they are."""
    run = (*AS_UID, HELPER, "run")
    command = (*run, f"--credential=token={secrets.file()}", "echo")
    refused(stage.start("none", *command), "cannot be opened: Permission denied")
    others = secrets.file(owner=world.uid("bob"), mode=0o604)
    refused(stage.start("none", *run, f"--credential=token={others}", "echo"), "belongs to uid")


def test_a_file_that_others_can_read_by_an_access_control_list(
    stage: Stage, secrets: Secrets
) -> None:
    """systemd gives such files to a unit with User=: the mask is in the place of the group."""
    file = secrets.file(mode=0o400)
    # user::r--, user:UID:r--, group::---, mask::r--, other::---, as in acl(5)
    entries = [(1, 4, -1), (2, 4, int(UID)), (4, 0, -1), (0x10, 4, -1), (0x20, 0, -1)]
    packed = b"".join(
        struct.pack("<HHI", tag, rights, who % 2**32) for tag, rights, who in entries
    )
    try:
        os.setxattr(file, "system.posix_acl_access", struct.pack("<I", 2) + packed)
    except OSError as error:
        world.leave_out(f"tmpfs has no access control lists here: {error.strerror}")
    run = (*AS_UID, HELPER, "run", f"--credential=token={file}", "echo")
    refused(stage.start("none", *run), "gives access to others (mode 0440)")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--credential",), "--credential needs a value"),
        (("--credential=s3cret",), "--credential is NAME=FILE"),
        (("--credential=token=",), "--credential is NAME=FILE"),
        (("--credential==/dev/null",), "printable text of 1 to 4095 bytes"),
        ((f"--credential={'x' * 4096}=/dev/null",), "printable text of 1 to 4095 bytes"),
        (("--credential=a\nb=/dev/null",), "printable text"),
        (("--credential=a\x1bb=/dev/null",), "printable text"),
        (("--credential=\udcff=/dev/null",), "printable text"),
        (("--credential=token={}", "--credential=token={}"), "token: this NAME is given twice"),
        (("--credential=token={}", "--session=keep"), "--session new"),
        (("--credential=token={}", "--session=user-session"), "--session new"),
        (("--session=name=shared", "--credential=token={}"), "--session new"),
        (("--credential-timeout=90",), "--credential-timeout needs --credential"),
        *(
            (("--credential=token={}", f"--credential-timeout={time}"), "90, 10m, 2h or 1d")
            for time in ("", "0", "-1", "1.5", "soon", "2147483648", "36500d")
        ),
    ],
)
def test_wrong_usage(stage: Stage, secrets: Secrets, options: tuple[str, ...], text: str) -> None:
    words = [option.format(secrets.file()) for option in options]
    program = () if options == ("--credential",) else ("echo",)
    refused(stage.start("none", HELPER, "run", *words, *program), text)


@pytest.mark.parametrize(
    ("inject", "text"),
    [("retval=0", "has changed meanwhile: try again"), ("error=EIO", "cannot be read: Input")],
)
def test_a_file_that_cannot_be_read_to_its_end(
    stage: Stage, secrets: Secrets, inject: str, text: str
) -> None:
    strace = ("strace", "-o", "/dev/null", "-e", f"inject=readv:{inject}")
    run = (*strace, *AS, f"--credential=token={secrets.file()}", "echo")
    refused(stage.start("none", *run), text)


def test_a_file_that_grows_while_it_is_read(secrets: Secrets) -> None:
    file = secrets.file()
    strace = ("strace", "-o", "/dev/null", "-e", "inject=readv:delay_enter=2000000")
    process = subprocess.Popen(
        [*strace, *AS, f"--credential=token={file}", "echo"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip

    def is_open() -> bool:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        links = (link for child in children for link in Path(f"/proc/{child}/fd").iterdir())
        return any(link.is_symlink() and str(link.readlink()) == str(file) for link in links)

    until(is_open)
    with file.open("a") as more:
        more.write("s3cret")
    output, errors = process.communicate()
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    refused(Started(done), "has changed meanwhile")


def test_without_the_option_its_code_is_not_imported(stage: Stage, tmp_path: Path) -> None:
    installed = Path(str(pykeyinit_helper.__file__)).parent
    mine = tmp_path / "helper"
    shutil.copytree(installed, mine, ignore=shutil.ignore_patterns("__pycache__"))
    (mine / "run/credentials.py").write_text("def broken(:\n")
    subprocess.run(["mount", "--bind", mine, installed], check=True)
    try:
        without = stage.start("none", *AS, "echo", "started")
        asked = stage.start("none", *AS, "--credential=a=/dev/null", "echo")
    finally:
        subprocess.run(["umount", installed], check=True)
    assert without.output == "started\n"
    refused(asked, "missing or damaged")
