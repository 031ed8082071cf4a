"""conf/: each way to start a daemon, with its file, under the real program.

Only the placeholders for the program and its user are filled in.
"""

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from helper.conftest import HELPER, Stage
from helper.run.supervisors import (
    FIRST,
    PERMIT,
    REQUEST,
    Supervisors,
    free_port,
    mounted,
    pam_services,
    reply,
    written,
)  # fmt: skip
from support import world

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_dave_has_a_key")]

CONF = world.ROOT / "conf"


@pytest.fixture
def folder() -> Path:
    """A folder that dave can write to, new for each test."""
    where = world.folder()
    assert where
    made = where / f"conf-{len(list(where.glob('conf-*')))}"
    made.mkdir()
    made.chmod(0o777)
    return made


def filled(path: str, folder: Path, *, to: str = "", **more: str) -> str:
    """The text of a file with a daemon that looks for dave's key, and dave as its user."""
    daemon = folder / "mydaemon"
    daemon.write_text(f"#!/bin/sh\nexec {shlex.join(REQUEST)} {to}\n")
    daemon.chmod(0o755)
    text = (CONF / path).read_text()
    for what, by in {
        "/usr/local/sbin/mydaemon": str(daemon),
        "user www": "user dave",
        **more,
    }.items():
        assert what in text or what == "user www", what
        text = text.replace(what, by)
    return text


def test_inetd(stage: Stage, supervisors: Supervisors, folder: Path) -> None:
    port = free_port()
    file = folder / "inetd.conf"
    file.write_text(filled("inetd/inetd.conf", folder, **{"\n7\t": f"\n127.0.0.1:{port}\t"}))
    program = str(supervisors.folder / "usr/sbin/inetutils-inetd")
    assert reply(port, supervisors.running(stage, program, "-d", str(file))).strip().isdigit()


def test_xinetd(stage: Stage, supervisors: Supervisors, folder: Path) -> None:
    port = free_port()
    file = folder / "xinetd.conf"
    file.write_text(filled("inetd/xinetd.conf", folder, **{"= 7\n": f"= {port}\n"}))
    program = str(supervisors.folder / "usr/sbin/xinetd")
    options = ("-dontfork", "-f", str(file), "-pidfile", str(folder / "pid"))
    assert reply(port, supervisors.running(stage, program, *options)).strip().isdigit()


@pytest.mark.parametrize(
    ("path", "program"),
    [("runit/mydaemon/run", "runsv"), ("s6/mydaemon/run", "s6-supervise")],
)
def test_runit_and_s6(
    stage: Stage, supervisors: Supervisors, folder: Path, path: str, program: str
) -> None:  # fmt: skip
    service = folder / "service"
    service.mkdir()
    text = filled(path, folder, to=f">{folder}/out 2>&1")
    execlineb = supervisors.folder / "usr/lib/execline/bin/execlineb"  # unpacked, not installed
    (service / "run").write_text(text.replace("#!/bin/execlineb", f"#!{execlineb}"))
    shutil.copymode(CONF / path, service / "run")
    start = supervisors.running(stage, program, str(service))
    assert written(folder / "out", start).strip().isdigit()


def test_cron(stage: Stage, supervisors: Supervisors, folder: Path) -> None:
    spool = folder / "spool"
    (spool / "crontabs").mkdir(parents=True)
    table = spool / "crontabs/dave"
    table.write_text(filled("cron/crontab", folder, to=f">{folder}/out 2>&1"))
    table.chmod(0o600)
    os.chown(table, world.uid("dave"), world.gid("dave"))
    Path("/var/spool/cron").mkdir(exist_ok=True)
    Path("/run/crond.reboot").unlink(missing_ok=True)
    program = str(supervisors.folder / "usr/sbin/cron")
    with mounted(spool, "/var/spool/cron"), pam_services(folder, cron=PERMIT):
        found = written(folder / "out", supervisors.running(stage, program, "-f"))
    assert found.strip().isdigit()


def test_supervisord(stage: Stage, supervisors: Supervisors, folder: Path) -> None:
    file = folder / "supervisord.conf"
    own = f"[supervisord]\nuser=root\nlogfile={folder}/log\npidfile={folder}/pid\n"
    text = filled("supervisord/mydaemon.conf", folder, to=f">{folder}/out 2>&1")
    file.write_text(own + text)
    packages = supervisors.folder / "usr/lib/python3/dist-packages"
    program = ["env", f"PYTHONPATH={packages}", "/usr/bin/python3"]
    program += [str(supervisors.folder / "usr/bin/supervisord"), "-n", "-c", str(file)]
    assert written(folder / "out", supervisors.running(stage, *program)).strip().isdigit()


def test_a_containers_entry_point(stage: Stage, folder: Path) -> None:
    entry = folder / "entrypoint"
    entry.write_text((CONF / "container/entrypoint").read_text().replace("user www", "user dave"))
    shutil.copymode(CONF / "container/entrypoint", entry)
    look = f"{shlex.join(REQUEST)}; keyctl describe @s >&2; exit 7"
    started = stage.start(FIRST, str(entry), "sh", "-c", look)
    assert (started.code, started.output.strip().isdigit()) == (7, True), started.errors
    assert re.search(r": alswrv\S* +%d .* keyring: _ses\n" % world.uid("dave"), started.errors)


def unit(folder: Path) -> configparser.SectionProxy:
    """The [Service] section of the template, for dave, verified by systemd."""
    text = filled("systemd/mydaemon@.service", folder)
    (folder / "mydaemon@.service").write_text(text)
    verify("mydaemon@dave.service", folder)
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text.replace("%i", "dave"))
    return parser["Service"]


def verify(name: str, folder: Path) -> None:
    """systemd-analyze(1): no complaint."""
    environment = {"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{folder}:"}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(folder / name)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert (
        done.returncode,
        re.sub(r"^.*(?:/usr/lib|/lib)/systemd/.*\n", "", done.stderr, flags=re.M),
    ) == (0, "")


def test_the_units_capabilities_are_enough(stage: Stage, folder: Path) -> None:
    """With KeyringMode=inherit, and only the capabilities of the unit."""
    service = unit(folder)
    assert service["KeyringMode"] == "inherit"
    names = service["CapabilityBoundingSet"].lower().replace("cap_", "+").split()
    assert service["NoNewPrivileges"] == "yes"
    limits = ["setpriv", "--no-new-privs", f"--bounding-set=-all,{','.join(names)}"]
    command = [*limits, *shlex.split(service["ExecStart"])]
    found = stage.start(FIRST, *command)
    assert found.output.strip().isdigit(), found.errors
    without = [word.replace(",+setuid", "") for word in command]
    assert without != command
    assert stage.start(FIRST, *without).code == 125


def test_the_units_filter_allows_what_the_helper_calls(folder: Path) -> None:
    """Every system call before the program's own is in the sets of SystemCallFilter=."""
    service, log = unit(folder), folder / "calls"
    command = ["strace", "-o", str(log), *shlex.split(service["ExecStart"])]
    subprocess.run(command, check=True, capture_output=True)
    called = set(re.findall(r"^(\w+)\(", log.read_text(), re.M))
    allowed = calls_of(service["SystemCallFilter"])
    assert "keyctl" in called
    assert called - allowed - {"exit_group"} == set()


def calls_of(name: str) -> set[str]:
    """A set of system calls, from systemd-analyze(1), with its nested sets."""
    command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = [line.strip() for line in done.stdout.splitlines()[1:] if line.startswith("    ")]
    found = {word for word in words if not word.startswith(("@", "#"))}
    return found.union(*(calls_of(word) for word in words if word.startswith("@")))


def test_the_drop_in(folder: Path) -> None:
    (folder / "own.service").write_text("[Service]\nUser=dave\nExecStart=/bin/true\n")
    (folder / "own.service.d").mkdir()
    shutil.copy(CONF / "systemd/keyring.conf", folder / "own.service.d")
    verify("own.service", folder)
    drop_in = folder / "own.service.d/keyring.conf"
    drop_in.write_text(drop_in.read_text().replace("shared", "shred"))
    with pytest.raises(AssertionError):
        verify("own.service", folder)


def test_every_file_of_conf_is_run() -> None:
    """By tests of the helper, and of tests/deb; a new file needs a test."""
    files = {str(path.relative_to(CONF)) for path in CONF.rglob("*") if path.is_file()}
    files -= {"README", "meson.build"}  # tests/installed/test_meson.py builds that one
    others = {path for path in files if not path.endswith(".diff")}
    others = {path for path in others if not path.startswith("ansible/")}  # tests/deb
    testing = (world.ROOT / "tests/helper").rglob("test_*.py")
    tests = "".join(path.read_text() for path in testing)
    assert {path for path in others if f'"{path}"' not in tests} == set()
    assert HELPER in (CONF / "systemd/mydaemon@.service").read_text()
