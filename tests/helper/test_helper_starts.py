"""Real starts: what daemons find that are started by something other than a login.

The administrator whose session keyring they inherit has logged out: it is revoked.  Without
the helper the user's key is not found; with it, it is.  The supervisors are Debian's own,
unpacked into a scratch folder: installing them would start services on this machine.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from support import world

pytestmark = pytest.mark.privileged

PACKAGES = ("inetutils-inetd", "xinetd", "runit", "s6", "execline", "cron")
FIRST = "revoked root"  # what the daemons inherit
# dave's keyrings are the same in every world of the machine: each run has a key of its own.
KEY = f"pykeyinit-helper-test-{os.getpid()}"
AS_DAVE = ("/usr/bin/setpriv", "--reuid=dave", "--regid=dave", "--clear-groups")
REQUEST = ("/usr/bin/keyctl", "request", "user", KEY)
PLAIN = (*AS_DAVE, *REQUEST)
HELPED = (HELPER, "run", "--quiet", "--user=dave", *REQUEST)

Starter = Callable[[Stage, "Supervisors", Path, tuple[str, ...]], str]


class Supervisors:
    """Debian's supervisors in a folder, and how to start one on a stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        libraries = [path for path in folder.glob("**/lib/*-linux-*") if path.is_dir()]
        self.environment = {
            "PATH": f"{folder}/usr/bin:{folder}/usr/sbin:/usr/bin:/bin:/usr/sbin",
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        }

    @contextlib.contextmanager
    def running(self, stage: Stage, *command: str) -> Iterator[None]:
        """Run one, in a session of its own, and end it with all that it started."""
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


@pytest.fixture(scope="module")
def supervisors(tmp_path_factory: pytest.TempPathFactory) -> Supervisors:
    """The packages, downloaded and unpacked."""
    folder = tmp_path_factory.mktemp("debian")
    folder.chmod(0o755)
    for package in PACKAGES:
        unpack = [str(world.ROOT / "build-aux/unpack.sh"), str(folder), package]
        done = subprocess.run(unpack, capture_output=True, text=True)
        if done.returncode != 0:
            world.skip(f"{package} is not to be had: {done.stderr}")
    return Supervisors(folder)


@pytest.fixture(scope="module")
def _dave_has_a_key() -> Iterator[None]:
    add = [*AS_DAVE, "keyctl", "add", "user", KEY, "secret", "@u"]
    subprocess.run(add, check=True, capture_output=True)
    yield
    unlink = ["sh", "-c", f"keyctl unlink $(keyctl search @u user {KEY}) @u"]
    subprocess.run([*AS_DAVE, HELPER, "run", *unlink], check=True, capture_output=True)


def _file(
    path: Path, start: contextlib.AbstractContextManager[object], begin: Path | None = None
) -> str:
    """What is written into a file while something runs, that may wait for another file."""
    with start:
        if begin:
            begin.touch()
        for _ in range(200):
            if path.exists() and path.read_text().endswith("\n"):
                return path.read_text()
            time.sleep(0.05)
    pytest.fail(f"nothing was started: {path}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _reply(port: int, start: contextlib.AbstractContextManager[None]) -> str:
    """What a server on loopback answers."""
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


def by_setsid(stage: Stage, _: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    """dave logs in, leaves something running, and logs out: his session is closed by PAM."""
    folder.chmod(0o777)
    waiting = f"until [ -e {folder}/gone ]; do sleep 0.05; done; exec {_as_dave(command)}"
    session = "session required pam_python.so pam_pykeyinit.py force revoke\n"
    with _services(folder, **{"runuser-l": PERMIT + session}):
        login = f"keyctl rdescribe @s >{folder}/in; setsid sh -c '{waiting}' >{folder}/out 2>&1 &"
        stage.start("none", "runuser", "-l", "dave", "-c", login)
    assert (folder / "in").read_text().startswith(f"keyring;{world.uid('dave')};")
    return _file(folder / "out", contextlib.ExitStack(), begin=folder / "gone")


def _as_dave(command: tuple[str, ...]) -> str:
    """What is left of a command for whom somebody else has made dave."""
    return " ".join(word for word in command if word not in AS_DAVE and word != "--user=dave")


PERMIT = "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session"))


@contextlib.contextmanager
def _services(folder: Path, **stacks: str) -> Iterator[None]:
    """/etc/pam.d with these services alone."""
    services = folder / "pam.d"
    services.mkdir()
    for name, text in {"other": "auth required pam_deny.so\n", **stacks}.items():
        (services / name).write_text(text)
    with _mounted(services, "/etc/pam.d"):
        yield


@contextlib.contextmanager
def _mounted(source: Path, target: str) -> Iterator[None]:
    subprocess.run(["mount", "--bind", source, target], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)


def by_inetd(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    port = _free_port()
    line = f"127.0.0.1:{port} stream tcp nowait root {command[0]} {' '.join(command)}\n"
    (folder / "inetd.conf").write_text(line)
    program = str(have.folder / "usr/sbin/inetutils-inetd")
    return _reply(port, have.running(stage, program, "-d", str(folder / "inetd.conf")))


def by_xinetd(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    port = _free_port()
    (folder / "xinetd.conf").write_text(
        "service keys\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n wait = no\n"
        f" bind = 127.0.0.1\n port = {port}\n user = root\n flags = NOLIBWRAP\n"
        f" server = {command[0]}\n server_args = {' '.join(command[1:])}\n}}\n"
    )
    program = str(have.folder / "usr/sbin/xinetd")
    options = ("-dontfork", "-f", str(folder / "xinetd.conf"), "-pidfile", str(folder / "pid"))
    return _reply(port, have.running(stage, program, *options))


def _run_script(folder: Path, command: tuple[str, ...]) -> Path:
    service = folder / "service"
    service.mkdir()
    run = service / "run"
    run.write_text(f"#!/bin/sh\nexec {' '.join(command)} >{folder}/out 2>&1\n")
    run.chmod(0o755)
    return service


def by_runit(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    service = _run_script(folder, command)
    return _file(folder / "out", have.running(stage, "runsv", str(service)))


def by_s6(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    service = _run_script(folder, command)
    return _file(folder / "out", have.running(stage, "s6-supervise", str(service)))


def by_cron(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    """Here cron is who becomes the user; @reboot is what it runs when it is started."""
    spool = folder / "spool"
    (spool / "crontabs").mkdir(parents=True)
    table = spool / "crontabs/dave"
    table.write_text(f"@reboot {_as_dave(command)} >{folder}/out 2>&1\n")
    table.chmod(0o600)
    os.chown(table, world.uid("dave"), world.gid("dave"))
    folder.chmod(0o777)
    Path("/var/spool/cron").mkdir(exist_ok=True)
    Path("/run/crond.reboot").unlink(missing_ok=True)
    program = str(have.folder / "usr/sbin/cron")
    with _mounted(spool, "/var/spool/cron"), _services(folder, cron=PERMIT):
        return _file(folder / "out", have.running(stage, program, "-f"))


@pytest.mark.usefixtures("_dave_has_a_key")
@pytest.mark.parametrize(
    "starter", [by_setsid, by_inetd, by_xinetd, by_runit, by_s6, by_cron], ids=lambda f: f.__name__
)
def test_the_trouble_without_the_helper_is_gone_with_it(
    stage: Stage, supervisors: Supervisors, starter: Starter
) -> None:
    world_folder = world.folder()
    assert world_folder
    outcomes = []
    for name, command in (("without", PLAIN), ("with", HELPED)):
        folder = world_folder / f"{starter.__name__}-{name}"
        folder.mkdir(mode=0o755)
        outcomes.append(starter(stage, supervisors, folder, command))
    without, helped = outcomes
    assert without == "request_key: Required key not available\n"
    assert helped.strip().isdigit(), helped
