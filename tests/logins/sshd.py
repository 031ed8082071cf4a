"""A private sshd for tests: on loopback, in the private world, with key logins only."""

import contextlib
import functools
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from logins.people import Login

from support import fetched, world

CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
PidFile none
"""


class Sshd:
    """A running sshd, and the ways to log in to it."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        """The key in this folder can log in."""
        self.pid = pid
        self._folder = folder
        self._port = port

    def login(self, user: str, scratch: Path) -> Login:
        """Log in with the key."""
        return Login(self.command(user), scratch)

    def command(self, user: str, *first: str) -> list[str]:
        """The command line that logs in with the key, and runs its arguments.

        Of repeated options of ssh_config(5) the first one counts.
        """
        options = [*first, f"IdentityFile={self._folder}/user", "BatchMode=yes", "LogLevel=ERROR"]
        options += ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        switches = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", "-p", str(self._port), *switches, f"{user}@127.0.0.1"]


@functools.cache
def program() -> tuple[Path, list[str]]:
    """The machine's sshd, or one that is unpacked here with the configuration lines for it.

    It is not installed, because that would start a service on the machine.
    """
    there = Path("/usr/sbin/sshd")
    if there.exists():
        return there, []
    unpacked = fetched.debian("sshd", "openssh-server")
    helpers = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}  # since 9.8, 10.0
    paths = {name: unpacked / "usr/lib/openssh" / file for name, file in helpers.items()}
    return unpacked / "usr/sbin/sshd", [f"{n} {p}" for n, p in paths.items() if p.exists()]


def ensure_account() -> None:
    """Create the unprivileged account that sshd needs, if its package has not created it."""
    accounts = Path("/etc/passwd")  # this world's
    if "\nsshd:" not in accounts.read_text():
        with accounts.open("a") as file:
            file.write("sshd:x:61099:65534::/run/sshd:/usr/sbin/nologin\n")


@contextlib.contextmanager
def running(
    folder: Path,
    first: str = "",
    environment: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> Iterator[Sshd]:
    """An sshd until the end of the block.

    Of repeated lines of sshd_config(5) the first one counts.  The environment is for the PAM
    modules in it.  `before` is a command that runs it.
    """
    sshd, more = program()
    ensure_account()
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    (folder / "user.pub").chmod(0o644)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = first + CONFIGURATION.format(folder=folder, port=port)
    text += "".join(f"{line}\n" for line in more)
    (folder / "sshd_config").write_text(text)
    environment = {"PATH": os.environ["PATH"], **(environment or {})}
    if world.folder() in sshd.parents:
        # Unpacked packages: some have their libraries in /usr/lib, some still in /lib.
        folders = [*sshd.parents[1].glob("lib/*-linux-*"), *sshd.parents[2].glob("lib/*-linux-*")]
        libraries = [*map(str, folders), *filter(None, [environment.get("LD_LIBRARY_PATH")])]
        environment["LD_LIBRARY_PATH"] = ":".join(libraries)
    with (folder / "sshd.log").open("wb") as log:
        daemon = subprocess.Popen(
            [*before, sshd, "-D", "-e", "-f", folder / "sshd_config"],
            stderr=log,
            env=environment,
        )
    try:
        wait_for(port, daemon, folder / "sshd.log")
        yield Sshd(folder, port, daemon.pid)
    finally:
        daemon.terminate()
        daemon.wait()


def wait_for(port: int, daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when it answers."""
    for _ in range(500):
        assert daemon.poll() is None, log.read_text()
        with (
            contextlib.suppress(ConnectionRefusedError),
            socket.create_connection(("127.0.0.1", port), timeout=10),
        ):
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
