"""Ways to log in to a machine: each starts a program that runs the probe as a user.

A way is a function of a scenario and of the probe's command line.  It returns as soon as the
login has begun; runner.py waits, and inspects the result.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

SPOOL = Path("/run/vm")
SSH = ["ssh", "-F", "none", "-n", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
       "-o", "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1"]  # fmt: skip
HERE = Path(__file__).parent
PATIENCE = 60.0  # seconds for a prompt: the machine is emulated, and slow
CLIENT = """\
import socket, time
for _ in range(100):
    try:
        service = socket.create_connection(("127.0.0.1", 7007))
        break
    except OSError:
        time.sleep(0.1)
service.recv(1)
"""
AUTHENTICATION = {
    "key": ["-o", "PreferredAuthentications=publickey"],
    "password": ["-o", "PreferredAuthentications=password"],
    "keyboard": ["-o", "PreferredAuthentications=keyboard-interactive"],
}

Scenario = Dict[str, Any]


class CannotRun(Exception):
    """This machine lacks something that the scenario needs; str() says what."""


class Started:
    """A program that opens a session; with its output, and a cleanup function."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        said: str = "",
        terminal: int | None = None,
        tidy: Callable[[], object] = lambda: None,
    ) -> None:
        self.process = process
        self.said = said
        self._terminal = terminal
        self._tidy = tidy

    def finish(self, patience: float) -> int:
        """Wait for its end; return the exit status, or -1 if it had to be killed."""
        try:
            output, _ = self.process.communicate(timeout=patience)
            status = self.process.returncode
        except subprocess.TimeoutExpired:
            self.process.kill()
            output, _ = self.process.communicate()
            status = -1
        if self._terminal is not None:
            output = heard(self._terminal)
            os.close(self._terminal)
        self._tidy()
        self.said += output or ""
        return status


def heard(terminal: int) -> str:
    """The remaining output."""
    os.set_blocking(terminal, False)
    try:
        return os.read(terminal, 65536).decode("utf-8", "replace")
    except OSError:
        return ""


def _start(command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True, **more,
    )  # fmt: skip


def filled(text: str, scenario: Scenario, probe: str) -> str:
    """A text of a scenario with {probe}, {user} and {helper} filled in."""
    helper = shutil.which("pykeyinit-helper") or "pykeyinit-helper"
    return text.format(probe=probe, user=scenario["user"], helper=helper)


def ssh(scenario: Scenario, probe: str) -> Started:
    """`auth` key, password or keyboard; `password` is typed; `port`, `tty`, `master`.

    `come_as` is the user who logs in, if it is not `user`, and `through` the command of that user.
    """
    command = [*SSH, *AUTHENTICATION[scenario.get("auth", "key")]]
    command += ["-i", "/etc/ssh/person", "-p", str(scenario.get("port", 22))]
    if scenario.get("tty"):
        command.append("-tt")
    if scenario.get("master"):
        path = SPOOL / "master"
        command += ["-o", "ControlMaster=auto", "-o", f"ControlPath={path}"]
    environment = {
        "PATH": os.environ["PATH"],
        "SSH_ASKPASS": str(HERE / "askpass"),
        "SSH_ASKPASS_REQUIRE": "force",
        "PASSWORD": scenario.get("password", "secret"),
    }
    who = scenario.get("come_as", scenario["user"])
    runs = filled(scenario.get("through", "{probe}"), scenario, probe)
    return Started(_start([*command, f"{who}@127.0.0.1", runs], env=environment))


def command(scenario: Scenario, probe: str) -> Started:
    """`argv`, the program and its arguments; `by` is its user, root by default.

    `typed` is a list of pairs: a prompt on a terminal, and the answer to type.
    """
    words = [filled(word, scenario, probe) for word in scenario["argv"]]
    if "by" in scenario:
        by = scenario["by"]
        words = ["setpriv", f"--reuid={by}", f"--regid={by}", "--init-groups", *words]
    if "typed" not in scenario:
        return Started(_start(words))
    typed = [[filled(part, scenario, probe) for part in pair] for pair in scenario["typed"]]
    return _on_terminal(words, typed)


def _on_terminal(words: List[str], typed: List[List[str]]) -> Started:
    """Run a command on a new terminal, and type there."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *words],
        stdin=slave, stdout=slave, stderr=slave, text=True,
    )  # fmt: skip
    os.close(slave)
    said = converse(master, typed, PATIENCE, lambda: process.poll() is None)
    return Started(process, said, master)


def converse(
    terminal: int, typed: List[List[str]], patience: float, goes_on: Callable[[], bool]
) -> str:
    """Wait for each prompt and type its answer; return all output.

    An error while the program runs is not the end: login(1) first hangs up its terminal.
    """
    said = ""
    for prompt, answer in typed:
        start = len(said)
        end = time.monotonic() + patience
        while prompt.lower() not in said[start:].lower():
            if time.monotonic() > end or not goes_on():
                return f"{said}\n[no prompt {prompt!r}]"
            ready, _, _ = select.select([terminal], [], [], 0.2)
            try:
                said += os.read(terminal, 4096).decode("utf-8", "replace") if ready else ""
            except OSError:
                time.sleep(0.1)
        time.sleep(0.3)  # programs discard what was typed before their prompt
        os.write(terminal, answer.encode())
    return said


def serial(scenario: Scenario, probe: str) -> Started:
    """A getty on one serial line, and a client at the other end of the wire."""
    near, far = scenario["line"], scenario["end"]
    for line in (near, far):
        stty = ["stty", "-F", line, "raw", "-echo", "115200"]
        if subprocess.run(stty, capture_output=True, check=False).returncode:
            raise CannotRun(f"there is no {line}")
    getty = _start(["agetty", "--noclear", "-L", Path(near).name, "115200", "vt100"])
    terminal = os.open(far, os.O_RDWR | os.O_NOCTTY)
    typed = [["login:", f"{scenario['user']}\r"], ["assword:", "secret\r"],
             ["$", f"{probe}; exit\r"]]  # fmt: skip
    said = converse(terminal, typed, PATIENCE, lambda: getty.poll() is None)
    return Started(getty, said, terminal)


def cron(scenario: Scenario, probe: str) -> Started:
    """cron runs `job`, as the user `by` if set.

    The clock is set to the end of a minute, because cron looks at the beginning of one.
    """
    job = filled(scenario.get("job", "{probe}"), scenario, probe)
    table = Path("/etc/cron.d/vm")
    table.write_text(f"* * * * * {scenario.get('by', scenario['user'])} {job}\n")
    now = time.time()
    time.clock_settime(time.CLOCK_REALTIME, now - now % 60 + 56)
    if Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "restart", "cron"], check=True)
        return Started(_start(["sleep", "5"]), tidy=table.unlink)
    return Started(_start(["timeout", "20", "cron", "-f"]), tidy=table.unlink)


def at(scenario: Scenario, probe: str) -> Started:
    """An at job for now."""
    if not Path("/usr/sbin/atd").exists():
        raise CannotRun("there is no atd")
    user = scenario["user"]
    words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "sh", "-c",
             f"echo {shlex.quote(probe)} | at now"]  # fmt: skip
    return Started(_start(words, cwd="/"))


def inetd(scenario: Scenario, probe: str) -> Started:
    """A service of inetd, and a client that waits until it has ended."""
    argv = shlex.split(filled(scenario["job"], scenario, probe))
    configuration = SPOOL / "inetd.conf"
    words = " ".join([argv[0], Path(argv[0]).name, *argv[1:]])
    configuration.write_text(f"127.0.0.1:7007 stream tcp nowait root {words}\n")
    daemon = subprocess.Popen(["inetd", "-i", str(configuration)])
    return Started(_start(["/usr/bin/python3", "-I", "-c", CLIENT]), tidy=daemon.terminate)


WAYS: Dict[str, Callable[[Scenario, str], Started]] = {
    "ssh": ssh,
    "command": command,
    "serial": serial,
    "cron": cron,
    "at": at,
    "inetd": inetd,
}
