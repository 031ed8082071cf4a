"""Debian's sshd and cron in a scratch system, with Debian's own PAM files."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

from support import world

from .system import System

PACKAGES = "openssh-server,openssh-client,cron,keyutils,systemd"
_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey /drive/host
AuthorizedKeysFile /drive/user.pub
StrictModes no
UsePAM yes
PidFile none
"""


def prepare(system: System) -> None:
    """Create keys and an account for logins, and stop packages from starting daemons."""
    alone = system.root / "usr/sbin/policy-rc.d"
    alone.write_text("#!/bin/sh\nexit 101\n")
    alone.chmod(0o755)
    with (system.root / "etc/shadow").open("a") as file:
        file.write("alice:*:19000:0:99999:7:::\n")
    for name in ("host", "user"):
        system.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"/drive/{name}")
    (system.root / "run/sshd").mkdir(exist_ok=True)


@contextlib.contextmanager
def _running(system: System, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    log = (system.root / "drive/daemon.log").open("ab")
    daemon = subprocess.Popen(
        ["/usr/sbin/chroot", system.root, *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    try:
        yield daemon
    finally:
        daemon.terminate()
        daemon.wait()
        log.close()


def ssh(system: System, *command: str) -> str:
    """The output of a command in a login of alice."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (system.root / "drive/sshd_config").write_text(_CONFIG.format(port=port))
    client = ["ssh", "-F", "none", "-i", "/drive/user", "-p", str(port), "-o", "BatchMode=yes"]
    client += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    client += ["-o", "LogLevel=ERROR", "alice@127.0.0.1", *command]
    with _running(system, "/usr/sbin/sshd", "-D", "-e", "-f", "/drive/sshd_config") as daemon:
        _wait(lambda: _listens(port), daemon)
        done = system.run(*client, check=False)
    assert done.returncode == 0, done.stderr + (system.root / "drive/daemon.log").read_text()
    return done.stdout


def cron_job(system: System, command: str) -> str:
    """The output of a job of alice, where cron runs in a session keyring with a key of root."""
    job = system.root / "drive/job"
    job.write_text(f"#!/bin/sh\nexec >/tmp/job.new 2>&1\n{command}\n")
    job.chmod(0o755)
    made, seen = system.root / "tmp/job.new", system.root / "tmp/job"
    for path in (made, seen, system.root / "run/crond.reboot", system.root / "run/crond.pid"):
        path.unlink(missing_ok=True)
    table = system.root / "var/spool/cron/crontabs/alice"
    table.write_text("@reboot /drive/job; mv /tmp/job.new /tmp/job\n")
    os.chown(table, world.uid("alice"), (system.root / "var/spool/cron/crontabs").stat().st_gid)
    table.chmod(0o600)
    roots = "keyctl add user roots-own secret @s; keyctl setperm %user:roots-own 0x3f3f3f3f; "
    roots += "keyctl setperm @s 0x3f1f1f1f; exec cron -f"
    with _running(system, "keyctl", "session", "-", "sh", "-c", roots) as daemon:
        _wait(seen.exists, daemon)
    return seen.read_text()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _wait(ready: Callable[[], bool], daemon: "subprocess.Popen[bytes]") -> None:
    while not ready():
        assert daemon.poll() is None, "the daemon has ended"
        time.sleep(0.05)


State = dict[str, tuple[int, int, int, bytes]]


def etc(system: System) -> State:
    """Each file, folder and link of /etc: mode, owner, group, and content."""
    root, found = system.root / "etc", {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        inside = b""
        if path.is_symlink():
            inside = os.fsencode(path.readlink())
        elif path.is_file():
            inside = path.read_bytes()
        name = str(path.relative_to(root))
        found[name] = (status.st_mode, status.st_uid, status.st_gid, inside)
    return found


def changed(before: State, after: State) -> list[str]:
    """The names of everything that differs."""
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]
