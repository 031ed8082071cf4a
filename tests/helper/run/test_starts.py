"""Daemons that are started without a login, with and without the helper.

They inherit the session keyring of an administrator who has logged out: it is revoked.  The
user's key is not found without the helper, and is found with it.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from helper.conftest import Stage
from helper.run.supervisors import (
    HELPED,
    PERMIT,
    PLAIN,
    Supervisors,
    as_dave,
    free_port,
    mounted,
    pam_services,
    reply,
    written,
)  # fmt: skip
from support import world

pytestmark = pytest.mark.privileged

Starter = Callable[[Stage, "Supervisors", Path, tuple[str, ...]], str]


def by_setsid(stage: Stage, _: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    """dave logs in, leaves a process running, and logs out: PAM closes his session."""
    folder.chmod(0o777)
    waiting = f"until [ -e {folder}/gone ]; do sleep 0.05; done; exec {as_dave(command)}"
    session = "session required pam_python.so pam_pykeyinit.py force revoke\n"
    with pam_services(folder, **{"runuser-l": PERMIT + session}):
        login = f"keyctl rdescribe @s >{folder}/in; setsid sh -c '{waiting}' >{folder}/out 2>&1 &"
        stage.start("none", "runuser", "-l", "dave", "-c", login)
    assert (folder / "in").read_text().startswith(f"keyring;{world.uid('dave')};")
    return written(folder / "out", contextlib.ExitStack(), begin=folder / "gone")


def by_inetd(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    port = free_port()
    command = tuple(word for word in command if word != "--quiet")  # its client reads no notice
    line = f"127.0.0.1:{port} stream tcp nowait root {command[0]} {' '.join(command)}\n"
    (folder / "inetd.conf").write_text(line)
    program = str(have.folder / "usr/sbin/inetutils-inetd")
    return reply(port, have.running(stage, program, "-d", str(folder / "inetd.conf")))


def by_xinetd(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    port = free_port()
    (folder / "xinetd.conf").write_text(
        "service keys\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n wait = no\n"
        f" bind = 127.0.0.1\n port = {port}\n user = root\n flags = NOLIBWRAP\n"
        f" server = {command[0]}\n server_args = {' '.join(command[1:])}\n}}\n"
    )
    program = str(have.folder / "usr/sbin/xinetd")
    options = ("-dontfork", "-f", str(folder / "xinetd.conf"), "-pidfile", str(folder / "pid"))
    return reply(port, have.running(stage, program, *options))


def _run_script(folder: Path, command: tuple[str, ...]) -> Path:
    service = folder / "service"
    service.mkdir()
    run = service / "run"
    run.write_text(f"#!/bin/sh\nexec {' '.join(command)} >{folder}/out 2>&1\n")
    run.chmod(0o755)
    return service


def by_runit(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    service = _run_script(folder, command)
    return written(folder / "out", have.running(stage, "runsv", str(service)))


def by_s6(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    service = _run_script(folder, command)
    return written(folder / "out", have.running(stage, "s6-supervise", str(service)))


def by_cron(stage: Stage, have: Supervisors, folder: Path, command: tuple[str, ...]) -> str:
    """Here cron becomes the user; it runs @reboot jobs at its start."""
    spool = folder / "spool"
    (spool / "crontabs").mkdir(parents=True)
    table = spool / "crontabs/dave"
    table.write_text(f"@reboot {as_dave(command)} >{folder}/out 2>&1\n")
    table.chmod(0o600)
    os.chown(table, world.uid("dave"), world.gid("dave"))
    folder.chmod(0o777)
    Path("/var/spool/cron").mkdir(exist_ok=True)
    Path("/run/crond.reboot").unlink(missing_ok=True)
    program = str(have.folder / "usr/sbin/cron")
    with mounted(spool, "/var/spool/cron"), pam_services(folder, cron=PERMIT):
        return written(folder / "out", have.running(stage, program, "-f"))


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
