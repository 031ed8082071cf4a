"""`run --revoke-on-exit` and --new-session: what is left when a process is killed."""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, PYTHON, Stage, is_dead
from helper.run.supervisors import Supervisors
from support import world

pytestmark = pytest.mark.privileged

# Write its own pid, its parent's, and the serial number of its session keyring; then stay.
STAYS = (
    'echo $$ $PPID $(keyctl show @s | sed -n "2s/^ *\\([0-9]*\\).*/\\1/p") >>{report};'
    "trap : TERM HUP; while :; do sleep 0.1; done"
)


def until(what: Callable[[], object]) -> object:
    """Wait for a true result; return it."""
    for _ in range(600):
        found = what()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"in vain: {what}")


def starts(report: Path, count: int) -> list[list[int]]:
    """The lines that this many starts wrote."""

    def look() -> list[list[int]]:
        text = report.read_text() if report.exists() else ""
        rows = [[int(word) for word in row.split()] for row in text.splitlines()]
        return rows if len(rows) >= count else []

    found = until(look)
    assert isinstance(found, list)
    return found


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def helped(report: Path, *options: str) -> list[str]:
    options = (*options, "--user=carol", "--session=new")
    return [HELPER, "run", "--revoke-on-exit", *options, "sh", "-c", STAYS.format(report=report)]


@pytest.fixture
def report() -> Path:
    """A file that every user can write, new for each test."""
    folder = world.folder()
    assert folder
    made = folder / f"report-{len(list(folder.glob('report-*')))}"
    made.touch()
    made.chmod(0o666)
    return made


def test_if_the_helper_is_killed_the_program_and_its_keyring_end(report: Path) -> None:
    helper = subprocess.Popen(helped(report), start_new_session=True)
    ((program, parent, keyring),) = starts(report, 1)
    assert parent == helper.pid
    assert not is_dead(keyring)
    os.kill(helper.pid, signal.SIGKILL)
    assert helper.wait() == -signal.SIGKILL
    until(lambda: is_gone(program))
    until(lambda: is_dead(keyring))


def test_also_where_the_program_changes_its_ids(report: Path) -> None:
    """The kernel clears PR_SET_PDEATHSIG at such a change, prctl(2)."""
    program = ["setpriv", "--reuid=carol", "--clear-groups", "--regid=carol", "sh", "-c"]
    command = [HELPER, "run", "--revoke-on-exit", *program, STAYS.format(report=report)]
    helper = subprocess.Popen(command, start_new_session=True)
    ((child, parent, _),) = starts(report, 1)
    assert parent == helper.pid
    helper.kill()
    helper.wait()
    until(lambda: is_gone(child))


def test_what_is_left_running_has_a_revoked_keyring_after_a_kill(report: Path) -> None:
    """A background daemon of the program is not killed."""
    script = f"setsid sh -c '{STAYS.format(report=report)}' & wait"
    helper = subprocess.Popen([HELPER, "run", "--revoke-on-exit", "sh", "-c", script])
    ((daemon, _, keyring),) = starts(report, 1)
    try:
        helper.kill()
        helper.wait()
        until(lambda: is_dead(keyring))
        assert not is_gone(daemon)
    finally:
        os.kill(daemon, signal.SIGKILL)


def test_the_guard_holds_nothing_open_and_ends_with_the_helper(report: Path) -> None:
    reading, writing = os.pipe()
    command = [HELPER, "run", "--revoke-on-exit", "sh", "-c", f"echo $PPID >{report}; exec cat"]
    helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writing, pass_fds=(writing,))
    os.close(writing)
    until(report.read_text)
    children = f"/proc/{helper.pid}/task/{helper.pid}/children"
    pids = [int(pid) for pid in Path(children).read_text().split()]
    assert len(pids) == 2
    own = Path(f"/proc/{helper.pid}/exe").readlink()
    (guard,) = (pid for pid in pids if Path(f"/proc/{pid}/exe").readlink() == own)
    until(lambda: len(list(Path(f"/proc/{guard}/fd").iterdir())) == 2)
    assert Path(f"/proc/{helper.pid}/comm").read_text() == "pykeyinit-helpe\n"
    helper.communicate(b"")
    assert helper.returncode == 0
    assert os.read(reading, 1) == b""
    os.close(reading)
    until(lambda: is_gone(guard))


def test_as_pid_1_it_reaps_orphans(stage: Stage) -> None:
    left = (
        "import os, time\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        os.fork() or time.sleep(0.1)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "def state(process):\n"
        "    try:\n"
        "        return open(f'/proc/{process}/stat').read().rsplit(')', 1)[1].split()[0]\n"
        "    except OSError:\n"  # it was reaped in the meantime
        "        return 'gone'\n"
        "for _ in range(100):\n"
        "    states = [state(p) for p in os.listdir('/proc') if p.isdigit()]\n"
        "    if len(states) == 2: break\n"
        "    time.sleep(0.1)\n"
        "print(states)\n"
    )
    container = ("unshare", "--pid", "--fork", "--mount-proc", "--propagation=unchanged")
    run = (HELPER, "run", "--revoke-on-exit", "--session=new", "--user=carol", "--")
    started = stage.start("none", *container, *run, *PYTHON, "-c", left)
    assert (started.code, started.errors) == (0, "")
    assert started.output.count("'") == 4, started.output  # only the helper and the program


def test_where_fork_is_refused_one_line_and_125(stage: Stage) -> None:
    limit = ("setpriv", "--reuid=carol", "--regid=carol", "--clear-groups", "prlimit", "--nproc=0")
    started = stage.start("none", *limit, HELPER, "run", "--revoke-on-exit", "true")
    assert (started.code, started.output, started.errors.count("\n")) == (125, "", 1)
    assert "cannot start true: fork: Resource temporarily unavailable" in started.errors


@contextlib.contextmanager
def ends(report: Path) -> Iterator[None]:
    """End all remaining programs."""
    try:
        yield
    finally:
        for row in report.read_text().splitlines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(row.split()[0]), signal.SIGKILL)


def by_runit(folder: Path, command: str) -> list[str]:
    (folder / "run").write_text(f"#!/bin/sh\nexec {command}\n")
    (folder / "run").chmod(0o755)
    return ["runsv", str(folder)]


def by_s6(folder: Path, command: str) -> list[str]:
    by_runit(folder, command)
    return ["s6-supervise", str(folder)]


def by_supervisord(folder: Path, command: str) -> list[str]:
    (folder / "start").write_text(f"#!/bin/sh\nexec {command}\n")
    (folder / "start").chmod(0o755)
    (folder / "conf").write_text(
        f"[supervisord]\nuser=root\nlogfile={folder}/log\npidfile={folder}/pid\n"
        f"[program:it]\ncommand={folder}/start\nautorestart=true\nstartsecs=0\n"
    )
    return ["supervisord", "-n", "-c", str(folder / "conf")]


@pytest.mark.parametrize("way", [by_runit, by_s6, by_supervisord], ids=lambda way: way.__name__)
def test_a_supervisor_whose_helper_is_killed_has_one_program(
    stage: Stage, supervisors: Supervisors, report: Path, way: Callable[[Path, str], list[str]]
) -> None:
    """It starts the second after the first is gone, and stops it in the end."""
    folder = report.with_name(f"{report.name}.d")
    folder.mkdir()
    script = report.with_name(f"{report.name}.sh")
    script.write_text(STAYS.format(report=report).replace("TERM HUP", "HUP"))
    options = "--revoke-on-exit --session new --user carol"
    program, *words = way(folder, f"{HELPER} run {options} -- sh {script}")
    (found,) = {*supervisors.folder.glob(f"usr/bin/{program}")}
    more = {}
    if program == "supervisord":
        packages = supervisors.folder / "usr/lib/python3/dist-packages"
        more = {"PYTHONPATH": str(packages)}
        words = [str(found), *words]
        found = Path("/usr/bin/python3")
    environment = {**supervisors.environment, **more}
    supervisor = subprocess.Popen(
        stage.command("none", "env", *(f"{k}={v}" for k, v in environment.items()),
                      str(found), *words),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    with ends(report):
        ((first, helper, keyring),) = starts(report, 1)
        os.kill(helper, signal.SIGKILL)
        _, (second, again, another) = starts(report, 2)
        until(lambda: is_gone(first))
        until(lambda: is_dead(keyring))
        assert not is_dead(another)
        assert not is_gone(second)

        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(30)
        until(lambda: is_gone(second) and is_gone(again))
        until(lambda: is_dead(another))


PTY_NUMBER, PTY_LOCK = 0x80045430, 0x40045431  # TIOCGPTN, TIOCSPTLCK: not in termios
STI = (
    "import fcntl, sys, termios\n"
    "for letter in 'id\\n':\n"
    "    fcntl.ioctl(0, termios.TIOCSTI, letter.encode())\n"
)


def job_at_a_terminal(*command: str) -> tuple[int, int]:
    """Start a command like a shell at a terminal: return its pid, and the terminal's other end."""
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    number = struct.unpack("i", fcntl.ioctl(master, PTY_NUMBER, bytes(4)))[0]
    fcntl.ioctl(master, PTY_LOCK, bytes(4))  # unlock it
    pid = os.fork()
    if pid == 0:
        os.setsid()
        slave = os.open(f"/dev/pts/{number}", os.O_RDWR)  # becomes the controlling one
        for descriptor in range(3):
            os.dup2(slave, descriptor)
        os.execvp(command[0], command)
    return pid, master


def at_a_terminal(*command: str) -> tuple[int, bytes]:
    """The exit status and the output of a command at a terminal."""
    pid, master = job_at_a_terminal(*command)
    text = b""
    with contextlib.suppress(OSError):
        while part := os.read(master, 4096):
            text += part
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


@pytest.mark.parametrize("revoke", [(), ("--revoke-on-exit",)])
def test_in_a_new_session_it_cannot_type_into_the_terminal(revoke: tuple[str, ...]) -> None:
    run = (HELPER, "run", *revoke, "--user=carol")
    sti = (*PYTHON, "-c", STI)
    legacy = Path("/proc/sys/dev/tty/legacy_tiocsti")
    if not legacy.exists() or legacy.read_text() == "1\n":
        assert at_a_terminal(*run, *sti)[0] == 0  # the control: this kernel allows it
    code, text = at_a_terminal(*run, "--new-session", *sti)
    assert (code, b"PermissionError" in text) == (1, True), text


def test_a_new_session_is_in_place_where_that_can_be(stage: Stage) -> None:
    show = (*PYTHON, "-c", "import os; print(os.getpid(), os.getsid(0), os.getppid())")
    in_place = subprocess.Popen(
        ["sh", "-c", f'{HELPER} run --new-session "$@"; exit $?', "-", *show],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    pid, session, parent = in_place.communicate()[0].split()
    assert pid == session
    assert parent == str(in_place.pid)
    leads = subprocess.Popen(
        [HELPER, "run", "--new-session", *show], process_group=0, stdout=subprocess.PIPE, text=True
    )
    pid, session, parent = leads.communicate()[0].split()
    assert pid == session != str(leads.pid) == parent


def test_what_the_terminal_sends_is_passed_on_into_a_new_session(report: Path) -> None:
    script = (
        f"trap 'echo int >>{report}; exit 3' INT; echo >>{report}; while :; do sleep 0.1; done"
    )
    run = (HELPER, "run", "--new-session", "--user=carol")
    pid, master = job_at_a_terminal(*run, "sh", "-c", script)
    until(report.read_text)
    os.write(master, b"\x03")
    assert until(lambda: "int" in report.read_text())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    os.close(master)
