"""Debian's programs that start daemons, and the keys that a daemon of dave finds under them.

They are unpacked: installing them would start services on this machine.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from support import fetched

PACKAGES = (
    "inetutils-inetd", "xinetd", "runit", "s6", "execline", "cron", "supervisor",
    "python3-pkg-resources",
)  # fmt: skip
FIRST = "revoked root"  # the session keyring that daemons inherit
# All worlds of the machine share dave's keyrings: each run has a key of its own.
KEY = f"pykeyinit-helper-test-{os.getpid()}"
AS_DAVE = ("/usr/bin/setpriv", "--reuid=dave", "--regid=dave", "--clear-groups")
REQUEST = ("/usr/bin/keyctl", "request", "user", KEY)
PLAIN = (*AS_DAVE, *REQUEST)
HELPED = (HELPER, "run", "--quiet", "--user=dave", *REQUEST)


class Supervisors:
    """Debian's supervisors, started on a stage."""

    def __init__(self) -> None:
        self.folder = folder = fetched.debian("supervisors", *PACKAGES)
        libraries = [path for path in folder.glob("**/lib/*-linux-*") if path.is_dir()]
        self.environment = {
            "PATH": f"{folder}/usr/bin:{folder}/usr/sbin:/usr/bin:/bin:/usr/sbin",
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        }

    @contextlib.contextmanager
    def running(self, stage: Stage, *command: str) -> Iterator[None]:
        """Run one, in a session of its own, and end it with all its children."""
        process = subprocess.Popen(
            stage.command(FIRST, *command),
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def a_key_of_daves() -> Iterator[None]:
    """dave's user keyring contains KEY."""
    add = [*AS_DAVE, "keyctl", "add", "user", KEY, "secret", "@u"]
    subprocess.run(add, check=True, capture_output=True)
    yield
    unlink = ["sh", "-c", f"keyctl unlink $(keyctl search @u user {KEY}) @u"]
    subprocess.run([*AS_DAVE, HELPER, "run", *unlink], check=True, capture_output=True)


def written(
    path: Path, start: contextlib.AbstractContextManager[object], begin: Path | None = None
) -> str:
    """The text that a running program writes to a file; it may wait for another file."""
    with start:
        if begin:
            begin.touch()
        for _ in range(200):
            if path.exists() and path.read_text().endswith("\n"):
                return path.read_text()
            time.sleep(0.05)
    pytest.fail(f"nothing was started: {path}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def reply(port: int, start: contextlib.AbstractContextManager[None]) -> str:
    """The answer of a server on loopback."""
    with start:
        for _ in range(100):
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
                connection.makefile() as stream,
            ):
                return stream.read()
            time.sleep(0.05)
    pytest.fail(f"nobody listens at port {port}")


def as_dave(command: tuple[str, ...]) -> str:
    """The rest of a command for supervisors that become dave themselves."""
    return " ".join(word for word in command if word not in AS_DAVE and word != "--user=dave")


PERMIT = "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session"))


@contextlib.contextmanager
def pam_services(folder: Path, **stacks: str) -> Iterator[None]:
    """/etc/pam.d with only these services."""
    services = folder / "pam.d"
    services.mkdir()
    for name, text in {"other": "auth required pam_deny.so\n", **stacks}.items():
        (services / name).write_text(text)
    with mounted(services, "/etc/pam.d"):
        yield


@contextlib.contextmanager
def mounted(source: Path, target: str) -> Iterator[None]:
    subprocess.run(["mount", "--bind", source, target], check=True)
    try:
        yield
    finally:
        # A job of a daemon that was ended may still use it.
        subprocess.run(["umount", "--lazy", target], check=True)
