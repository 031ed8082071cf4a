"""`run` as a way to start a program: status, signals, descriptors, environment, bad input."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helper.conftest import HELPER, PYTHON, Stage
from support import world

pytestmark = pytest.mark.privileged


@pytest.mark.parametrize(
    ("arguments", "code", "say"),
    [
        (["--", "sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "exit 125"], 125, ""),
        (["/no/such/program"], 127, "no such program"),
        (["no-such-program"], 127, "see PATH"),
        ([""], 127, "no such program"),
        (["/etc/passwd"], 126, "execute permission"),
        (["/etc"], 126, "cannot execute /etc"),
        ([], 125, "no PROGRAM"),
        (["--"], 125, "no PROGRAM"),
        (["--nonsense", "true"], 125, "unknown option: --nonsense; see"),
        (["--strict=yes", "true"], 125, "unknown option"),
        (["--user"], 125, "--user wants a value"),
        (["--user", "nobody-here", "true"], 125, "unknown user: nobody-here"),
        (["--user", "", "true"], 125, "unknown user"),
        (["--user", ":", "true"], 125, "--user : names none"),
        (["--user", "alice:", "true"], 125, "no group after the colon"),
        (["--user", "alice:nogroup-here", "true"], 125, "unknown group"),
        (["--user", "61999", "true"], 125, "UID:GROUP"),
        (["--user", "4294967295:0", "true"], 125, "unknown user"),
        (["--user", "99999999999999999999:0", "true"], 125, "unknown user"),
        (["--user", "\udcff", "true"], 125, "unknown user"),
        (["--session", "mine", "true"], 125, "--session is keep"),
        (["--session", "name=", "true"], 125, "1 to 4095 bytes"),
        (["--session", "name=.hidden", "true"], 125, "keeps such names"),
        (["--session", "name=_uid.0", "true"], 125, "keeps such names"),
        (["--session", "name=_uid_ses.0", "true"], 125, "keeps such names"),
        (["--session", "name=" + "n" * 4096, "true"], 125, "1 to 4095 bytes"),
        (["--session", "name=" + "n" * 4000, "true"], 0, ""),
        (["--link", "everything", "true"], 125, "--link is none"),
        (["--link", "", "true"], 125, "--link is none"),
        (["--tag", "", "true"], 125, "--tag wants"),
        (["--tag", "a\nb", "true"], 125, "--tag wants"),
        (["--revoke-on-exit", "--session=keep", "true"], 125, "revokes what it made"),
        (["--revoke-on-exit", "/no/such/program"], 127, "no such program"),
        (["--revoke-on-exit", "/etc"], 126, "cannot execute"),
        (["--revoke-on-exit", "sh", "-c", "exit 9"], 9, ""),
        (["--revoke-on-exit", "sh", "-c", "kill -TERM $$"], 143, ""),
    ],
)
def test_exit_status_and_the_one_line(
    stage: Stage, arguments: list[str], code: int, say: str
) -> None:
    started = stage.start("none", HELPER, "run", *arguments)
    lines = started.errors.splitlines()
    assert (started.code, len(lines)) == (code, 1 if say else 0), started.errors
    assert say in started.errors
    assert "Traceback" not in started.errors


def test_a_signal_ends_it_as_it_would_without(stage: Stage) -> None:
    assert stage.start("none", HELPER, "run", "sh", "-c", "kill -9 $$").code == -9


def test_a_script_without_a_shebang_is_run_by_sh(stage: Stage, tmp_path: Path) -> None:
    script = tmp_path / "plain"
    script.write_text('echo "plain $1"\n')
    script.chmod(0o755)
    assert stage.start("none", HELPER, "run", str(script), "argument").output == "plain argument\n"


def test_the_program_is_searched_as_the_user(stage: Stage, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "id").symlink_to("/usr/bin/id")
    environment = {"PATH": f"{hidden}:/usr/bin"}
    started = stage.start("none", HELPER, "run", "--user=alice", "id", "-un", env=environment)
    assert (started.code, started.output) == (0, "alice\n")


def test_ids_groups_and_nothing_else(stage: Stage) -> None:
    told = stage.run("none", "--user", "alice").told
    assert told["groups"] == [world.gid("alice")]
    told = stage.run("none", "--user", f"alice:{world.gid('bob')}").told
    assert told["ids"] == [world.uid("alice")] * 3 + [world.gid("bob")] * 3
    assert told["groups"] == [world.gid("bob")]
    told = stage.run("none", "--user", "61999:61999").told
    assert told["ids"] == [61999] * 6
    assert told["groups"] == [61999]


def test_only_root_can_become_somebody_else(stage: Stage) -> None:
    as_bob = ("setpriv", "--reuid=bob", "--regid=bob", "--init-groups", HELPER, "run")
    started = stage.start("none", *as_bob, "--user=alice", "true")
    assert started.code == 125
    assert "cannot become" in started.errors
    assert stage.start("none", *as_bob, "--user=bob", "true").code == 0


def test_debug_says_each_step_in_words(stage: Stage) -> None:
    command = (HELPER, "run", "--debug", "--user=alice", "--session=new", "--tag=what for", "true")
    said = stage.start("own bob", *command).errors
    bob = world.uid("bob")
    said = re.sub(r"\bkeyring \d+|by \d+$", "keyring N", said, flags=re.MULTILINE)
    assert said.replace("pykeyinit-helper: ", "").splitlines() == [
        f"found: foreign, session keyring N of uid {bob}",
        "joined new session keyring N",
        "linked the user keyring into it",
        "left the tag what for",
        f"session keyring N of uid {bob} was in the way: replaced keyring N",
    ]


def test_a_way_back_is_refused(stage: Stage) -> None:
    lax = ("setpriv", "--securebits=+no_setuid_fixup", HELPER, "run", "--user=alice", "id")
    started = stage.start("none", *lax)
    assert (started.code, started.output) == (125, "")
    assert "could become root again" in started.errors


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


def test_pid_cwd_mask_and_signals_are_kept(stage: Stage, tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    c_probe = ("sh", "-c", 'grep -E "^Sig(Blk|Ign|Cgt)|^NoNewPrivs|^Seccomp" /proc/self/status')
    plain = subprocess.run(c_probe, preexec_fn=ignore, capture_output=True, check=True)
    helped = subprocess.run(
        [HELPER, "run", *c_probe], preexec_fn=ignore, capture_output=True, check=True
    )
    assert helped.stdout == plain.stdout

    process = subprocess.Popen(
        [HELPER, "run", *stage.tell], stdout=subprocess.PIPE, cwd=tmp_path, text=True
    )
    told = json.loads(process.communicate()[0])
    assert (told["pid"], told["cwd"]) == (process.pid, str(tmp_path))


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
    assert started.told["error"] == "EKEYREVOKED"


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
    state = subprocess.run(["keyctl", "rdescribe", serial], capture_output=True, text=True)
    assert "revoked" in state.stderr or "Required key not available" in state.stderr


def _lines(path: Path, count: int) -> list[str]:
    for _ in range(200):
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            return lines
        time.sleep(0.05)
    raise AssertionError(lines)
