"""The system calls of a process that opens and closes a session, in order."""

import itertools
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.drive import Driver

OURS = "pam_pykeyinit.so force revoke"
# A fault in the first session, then a second session in the same process.
SCRIPT = (
    "start 0 s alice\nsyslog BEGIN\nopen 0\nsyslog BEGIN\nclose 0\n"
    "end 0\nstart 1 s alice\nopen 1\nclose 1\n"
)
CALLS = 7  # of PAM
# The calls that set up a session; all others belong to Python, libpam and libc.
OF_A_SESSION = ("setresuid", "setresgid", "keyctl")
# On 32 bits they have the same names; strace shows calls through socketcall(2) under the name of
# the function, but cannot inject faults into them.
OTHER_NAMES = {"setresuid32": "setresuid", "setresgid32": "setresgid", "mmap2": "mmap"}
BY_SOCKETCALL = "send"
_numbers = itertools.count()


@dataclass(frozen=True)
class Place:
    """The count-th call of a system call in the process, in the open or the close."""

    during: str
    call: str
    count: int

    @property
    def plain(self) -> str:
        """The call's name on 64 bits."""
        return OTHER_NAMES.get(self.call, self.call)

    def inject(self, what: str) -> str:
        """Strace's option for a fault there."""
        return f"--inject={self.call}:{what}:when={self.count}"


def stack(driver: Driver) -> Path:
    """The service files of the session, without other modules."""
    return driver.services(s=f"session required {OURS}")


def traced(driver: Driver, *options: str) -> Driver:
    """The same driver, under strace."""
    script = driver.scratch / f"traced{next(_numbers)}"
    command = ["strace", "--quiet=all", *options, str(driver.program)]
    script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    return Driver(script, driver.scratch)


def enumerate_all(driver: Driver) -> list[Place]:
    """Every system call that the open and the close of the first session make.

    Each part begins after the driver's own line in the log, and ends where the driver starts to
    inspect the state, for which it opens a pipe.
    """
    file = driver.scratch / "trace"
    run = traced(driver, f"--output={file}", "--string-limit=200")
    assert run.run(stack(driver), SCRIPT).codes() == [0, 0, 0, 0]
    return list(_between(file.read_text().splitlines()))


def _between(lines: list[str]) -> Iterator[Place]:
    seen: Counter[str] = Counter()
    phases = iter(("open", "close"))
    during = ""
    for line in lines:
        match = re.match(r"(\w+)\(", line)
        if match is None:
            continue
        call = match[1]
        seen[call] += 1
        if during and call in ("pipe", "pipe2"):
            during = ""
        if during and call != BY_SOCKETCALL:
            yield Place(during, call, seen[call])
        if call in ("sendto", BY_SOCKETCALL) and "BEGIN" in line:
            during = next(phases)


def alone(process: "subprocess.Popen[bytes]") -> int:
    """The pid of the only child of a process."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return int(children)
