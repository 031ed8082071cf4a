"""private.py COMMAND...: run a command, as root, with mounts of its own and key quotas raised.

In WORLD the command finds the name of an empty folder, which is removed after it; the
folder is made in $WORLDS, /var/tmp.

What unshare(1) does, and more: it also works in a bare chroot, whose / is no mount point
and may lack /proc.  Where mounts of the machine are shared, none made here gets out.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNS = 0x20000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
QUOTAS = ("maxkeys", "maxbytes")
UIDS = 100  # of a world
# What the kernel keeps for a user, but for the link that it makes itself.
FORGET = (
    "keyctl clear @u; keyctl clear @us; keyctl link @u @us;"
    " keyctl clear $(keyctl get_persistent @s)"
)

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """End the program if a call failed."""
    if result != 0:
        number = ctypes.get_errno()
        hint = " (CAP_SYS_ADMIN is needed: a container?)" if number == errno.EPERM else ""
        sys.exit(f"{what}: {os.strerror(number)}{hint}")


def unshare_mounts() -> None:
    """Take a mount namespace, and let nothing that is mounted in it reach the others.

    That has to be said of the real /, from which the mounts hang, also where this process
    sees only a folder of it as its own /.  So step out for the moment that it takes: every
    `..` leads outwards from a folder that is not below the process's root.
    """
    check(libc.unshare(CLONE_NEWNS), "unshare")
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(os.environ["WORLD"])
    os.fchdir(root)
    while not Path().samefile(".."):
        os.chdir("..")
    os.chroot(".")
    private = libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    os.fchdir(root)
    os.chroot(".")
    os.fchdir(here)
    check(private, "make the mounts private")
    os.close(root)
    os.close(here)


def mount_proc() -> None:
    """Have a /proc, which a bare chroot may lack."""
    if not Path("/proc/self/ns").exists():
        check(libc.mount(b"proc", b"/proc", b"proc", 0, None), "mount /proc")


def forget_users() -> None:
    """Take out the keys of the world's users that would outlive it."""
    first = int(os.environ.get("WORLD_UIDS", "61001"))
    users = [line.partition(":")[0] for line in Path("/proc/key-users").read_text().splitlines()]
    for uid in users:
        if first <= int(uid) < first + UIDS and shutil.which("keyctl"):
            become = ["setpriv", f"--reuid={uid.strip()}", "--regid=65534", "--clear-groups"]
            command = [*become, "keyctl", "session", "-", "sh", "-c", FORGET]
            subprocess.run(command, check=False, capture_output=True)


@contextlib.contextmanager
def raised_quotas() -> Iterator[None]:
    """Raise what a user may own of keys: revoked ones count until they are collected.

    Worlds may overlap: the first one saves what was set, the last one puts it back.
    """
    keys = Path("/proc/sys/kernel/keys")
    run = os.open("/run", os.O_RDONLY | os.O_DIRECTORY)  # another one will cover it
    turn, inhabited = (
        os.open(f"pykeyinit.{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=run)
        for name in ("lock", "quotas")
    )
    fcntl.flock(turn, fcntl.LOCK_EX)
    with contextlib.suppress(OSError):  # read-only in containers: then it has to do as it is
        if not os.pread(inhabited, 100, 0):
            os.pwrite(inhabited, b"".join((keys / name).read_bytes() for name in QUOTAS), 0)
        for name in QUOTAS:
            (keys / name).write_text((keys / f"root_{name}").read_text())
    fcntl.flock(inhabited, fcntl.LOCK_SH)
    fcntl.flock(turn, fcntl.LOCK_UN)
    try:
        yield
    finally:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            fcntl.flock(inhabited, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name, value in zip(QUOTAS, os.pread(inhabited, 100, 0).split(), strict=False):
                (keys / name).write_bytes(value)
            os.ftruncate(inhabited, 0)


def run(command: list[str]) -> int:
    """Run the command; a signal that ends us ends it first."""
    with subprocess.Popen(command) as process:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: process.send_signal(number))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both
        status = process.wait()
    return status if status >= 0 else 128 - status


def main(command: list[str]) -> int:
    """Outside, which outlives the mounts, make a folder and remove it; inside, all else."""
    if "WORLD" in os.environ:
        unshare_mounts()
        mount_proc()
        with raised_quotas():
            try:
                return run(command)
            finally:
                forget_users()
    folder = os.environ.get("WORLDS", "/var/tmp")  # noqa: S108  # of a name that nobody guesses
    world = os.environ["WORLD"] = tempfile.mkdtemp(prefix="pykeyinit.", dir=folder)
    try:
        return run([sys.executable, "-I", __file__, *command])
    finally:
        Path(world).rmdir()  # empty: what was in it was mounted there


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
