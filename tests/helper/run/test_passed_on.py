"""`run` passes on its environment, as env(1) does; and revokes at the exit on request."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helper.conftest import HELPER, PYTHON, Stage, is_dead

pytestmark = pytest.mark.privileged


@pytest.mark.parametrize("locale", [{}, {"LANG": "C"}, {"LC_CTYPE": "POSIX"}, {"LC_ALL": "C"},
                                    {"LC_CTYPE": "C.UTF-8"}])  # fmt: skip
def test_the_environment_is_passed_on_to_the_byte(
    stage: Stage, tmp_path: Path, locale: dict[str, str]
) -> None:
    odd = {"PATH": "/usr/bin", "EMPTY": "", "BYTES": "\udcff\n", "HOME": "/nonexistent",
           "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": "/x", **locale}  # fmt: skip
    command = ["/usr/bin/env", "-i", *[f"{k}={v}" for k, v in odd.items()]]
    show = ("cat", "/proc/self/environ")
    plain = subprocess.run([*command, *show], capture_output=True, check=True).stdout
    started = subprocess.run(
        [*command, HELPER, "run", "--user=alice", *show], capture_output=True, check=True
    )
    assert started.stdout == plain


OF_THE_INTERPRETER = (signal.SIGPIPE, signal.SIGXFSZ)  # it ignores them itself


@pytest.mark.parametrize("ignored", [(), *((each,) for each in OF_THE_INTERPRETER),
                                     OF_THE_INTERPRETER])  # fmt: skip
@pytest.mark.parametrize("option", ["--debug", "--new-session", "--revoke-on-exit"])
def test_signals_are_kept(option: str, ignored: tuple[signal.Signals, ...]) -> None:
    def ignore() -> None:
        for each in (signal.SIGUSR1, signal.SIGINT, *ignored):
            signal.signal(each, signal.SIG_IGN)
        for each in {*OF_THE_INTERPRETER} - {*ignored}:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    c_probe = ("sh", "-c", 'grep -E "^Sig(Blk|Ign|Cgt)|^NoNewPrivs|^Seccomp" /proc/self/status')
    plain = subprocess.run(c_probe, preexec_fn=ignore, capture_output=True, check=True)
    helped = subprocess.run(
        [HELPER, "run", option, *c_probe], preexec_fn=ignore, capture_output=True, check=True
    )
    assert helped.stdout == plain.stdout
    assert b"SigIgn" in plain.stdout


def test_pid_and_folder_are_kept(stage: Stage, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [HELPER, "run", *stage.tell], stdout=subprocess.PIPE, cwd=tmp_path, text=True
    )
    reported = json.loads(process.communicate()[0])
    assert (reported["pid"], reported["cwd"]) == (process.pid, str(tmp_path))


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
@pytest.mark.parametrize("revoke", [(), ("--revoke-on-exit",)])
def test_closed_descriptors_stay_closed(
    stage: Stage, closed: tuple[int, ...], revoke: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()

    def close() -> None:
        os.dup2(writing, 9)
        for descriptor in closed:
            os.close(descriptor)

    command = ["sh", "-c", "ls -l /proc/$$/fd >&9"]
    for prefix in ([], [HELPER, "run", *revoke, "--"]):
        subprocess.run([*prefix, *command], preexec_fn=close, close_fds=False)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        listings = pipe.read().split("total 0\n")[1:]
    plain, helped = ([row.split()[8:] for row in text.splitlines()] for text in listings)
    assert [row[0] for row in helped] == [row[0] for row in plain]


def test_a_descriptor_and_the_notify_socket_arrive(stage: Stage, tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder == Path("/tmp"):  # pytest's own folders are private
            break
        folder.chmod(0o755)
    (tmp_path / "notify").chmod(0o777)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listener.settimeout(10)
    program = (
        "import os, socket\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "s.connect(os.environ['NOTIFY_SOCKET']); s.send(b'READY=1')\n"
        "os.write(9, b'nine')\n"
    )
    reading, writing = os.pipe()
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "PATH": "/usr/bin"}
    process = subprocess.Popen(
        [HELPER, "run", "--user=alice", *PYTHON, "-c", program],
        preexec_fn=lambda: os.dup2(writing, 9),
        close_fds=False,
        env=environment,
    )
    os.close(writing)
    data, ancillary, _, _ = listener.recvmsg(100, 100)
    assert process.wait() == 0
    assert data == b"READY=1"
    assert int.from_bytes(ancillary[0][2][:4], sys.byteorder) == process.pid
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "nine"


def test_revoke_on_exit_revokes(stage: Stage) -> None:
    left_behind = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    time.sleep(0.5)\n"
        "    os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    command = [HELPER, "run", "--user=alice", "--revoke-on-exit", *PYTHON, "-c", left_behind]
    started = stage.start("none", *command, *stage.tell)
    assert started.reported["error"] == "EKEYREVOKED"


def test_revoke_on_exit_after_a_kill_and_forwarded_signals(stage: Stage, tmp_path: Path) -> None:
    report = tmp_path / "report"
    script = (
        f"keyctl show @s | sed -n '2s/^ *\\([0-9]*\\).*/\\1/p' >{report};"
        f"trap 'echo hup >>{report}' HUP; echo $$ >>{report};"
        "while :; do sleep 0.05; done"
    )
    process = subprocess.Popen([HELPER, "run", "--revoke-on-exit", "sh", "-c", script])
    serial, child = _lines(report, 2)
    os.kill(process.pid, signal.SIGHUP)
    assert _lines(report, 3)[2] == "hup"
    state = subprocess.run(["keyctl", "rdescribe", serial], capture_output=True, text=True)
    assert state.stdout.startswith("keyring;0;0;")
    os.kill(int(child), signal.SIGKILL)
    assert process.wait(10) == 137
    assert is_dead(serial)


def _lines(path: Path, count: int) -> list[str]:
    for _ in range(200):
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            return lines
        time.sleep(0.05)
    raise AssertionError(lines)
