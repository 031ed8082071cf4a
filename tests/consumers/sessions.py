"""Sessions of a user for real programs, one for each way to get a session.

A way is a login with pam_keyinit or with our module, or `pykeyinit-helper run`.
"""

import itertools
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from logins.people import stack

from support import world

AGENT = Path(__file__).with_name("agent.py")
HELPER = "/usr/local/bin/pykeyinit-helper"
LINES = {"pam_keyinit": world.ORACLE, **world.LOADERS}
# `run` stands for a program that never used PAM.  The first command becomes the user, with the
# user-session keyring in place, as in a daemon; the second is the one under test.
AS_DAEMON = [HELPER, "run", "--quiet", "--session=user-session"]

PATIENCE = 600  # seconds for a command
_numbers = itertools.count()


@dataclass(frozen=True)
class Way:
    """How a user gets a session keyring: the program, and the module in its PAM line."""

    program: str  # sshd, su or run
    module: str = ""  # of LINES
    asked: str = ""  # of run: the value of --session=

    def __str__(self) -> str:
        return "-".join(filter(None, (self.program, self.module, self.asked)))

    @property
    def line(self) -> str:
        """The module, with its options, in a PAM line."""
        return f"{LINES[self.module]} force revoke"

    @property
    def services(self) -> dict[str, str]:
        """The PAM service of the program, with this line."""
        return {self.program: stack(self.line)} if self.module else {}

    @property
    def helped(self) -> list[str]:
        """The words before a program that the helper runs."""
        asked = [f"--session={self.asked}"] if self.asked else []
        return [HELPER, "run", "--quiet", *asked, "--"]

    @property
    def revokes(self) -> bool:
        """Whether the end of the session revokes its keyring."""
        return self.program != "run"


# pam_python.so does not belong in a set-user-ID program.
LOGINS = [
    Way("sshd", "pam_keyinit"),
    Way("sshd", "native"),
    Way("sshd", "pam_python"),
    Way("su", "pam_keyinit"),
    Way("su", "native"),
]
WAYS = [*LOGINS, Way("run"), Way("run", asked="new")]


@dataclass(frozen=True)
class Answer:
    """The result of a command."""

    output: str
    status: int


class Session:
    """A session, from `Session(...)` on.  Call it to run a command in it."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        shell: bool = False,
        outside: Mapping[str, str] | None = None,
    ) -> None:
        """`command` runs its arguments as the user; as one word for a shell, if that is set.

        The environment is that of the session's programs, and of `command` with `outside` added.
        """
        number = next(_numbers)
        self._socket = folder / f"session{number}"
        program = folder / f"agent{number}.py"
        shutil.copy(AGENT, program)  # the user may be unable to read the tree
        settings = [f"{name}={value}" for name, value in environment.items()]
        agent = ["env", *settings, "/usr/bin/python3", "-I", str(program), str(self._socket)]
        self._process = subprocess.Popen(
            [*command, "exec " + " ".join(agent)] if shell else [*command, *agent],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, **(outside or {})},
            text=True,
            cwd="/",
        )

    def begin(self, typed: str = "") -> "Session":
        """Wait for the session, where a password must be typed first."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(typed)
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ready\n", self._process.communicate()
        return self

    def __call__(self, command: str, typed: str = "") -> Answer:
        """Run a command in the session, as a new process; also after the end of the session."""
        request = json.dumps({"command": command, "input": typed})
        return Answer(**json.loads(self._ask(request)))

    def do(self, command: str, typed: str = "") -> str:
        """Run a command that must succeed; return its output."""
        answer = self(command, typed)
        assert answer.status == 0, (command, answer)
        return answer.output.strip()

    def _ask(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self._socket))
            with connection.makefile("rw") as stream:
                stream.write(line + "\n")
                stream.flush()
                return stream.readline()

    def logout(self, *, revokes: bool = True) -> None:
        """End the session; one process of it remains, and answers from now on."""
        self._process.communicate(timeout=30)
        # A daemon closes the session some time after its client has disconnected.
        end = time.monotonic() + 10
        while revokes and "revoked" not in self("keyctl describe @s").output:
            assert time.monotonic() < end, self("keyctl show @s")
            time.sleep(0.02)

    def close(self) -> None:
        """Close the session, and end the process that it left."""
        self._process.communicate(timeout=30)
        self._ask("")


# Opens a session by a way: opened(way), opened(way, password=..., services=...).
Opener = Callable[..., Session]
