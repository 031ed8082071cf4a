"""Run pamdrive scripts, and read the output."""

import functools
import itertools
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_folders = itertools.count()
# Seconds for a script, which has hung after that; an emulated machine needs more.
_PATIENCE = float(os.environ.get("PAMDRIVE_PATIENCE", "60"))


@dataclass
class Step:
    """One call of PAM, its code, and the state after it."""

    call: str
    handle: int
    code: int
    ids: list[int]
    session: dict[str, Any]  # "serial", "description", "links"; or "error"
    keyrings: dict[int, str]  # every session keyring so far: "live", or an errno

    @property
    def fields(self) -> tuple[str, int, int, str, str]:
        """Type, owner, group, permissions and name of the session keyring."""
        kind, owner, group, permissions, name = self.session["description"].split(";", 4)
        return kind, int(owner), int(group), permissions, name


@dataclass
class Outcome:
    """The results of a script."""

    steps: list[Step] = field(default_factory=list)
    hygiene: list[list[str]] = field(default_factory=list)

    def codes(self) -> list[int]:
        """The codes of the PAM calls, without start and end."""
        return [step.code for step in self.steps if step.call not in ("start", "end", "forkend")]


class Driver:
    """pamdrive, with a folder of PAM service files of its own."""

    def __init__(self, program: Path, scratch: Path) -> None:
        self.program = program
        self.scratch = scratch

    def services(self, **stacks: str) -> Path:
        """A new folder with these service files."""
        folder = self.scratch / f"services{next(_folders)}"
        folder.mkdir()
        for name, text in {"other": "auth required pam_deny.so", **stacks}.items():
            (folder / name).write_text(text + "\n", encoding="latin-1")
        return folder

    def start(self, services: Path, script: str, **more: Any) -> "Running":
        """Start a script, with a command on each line."""
        return Running(
            subprocess.Popen(
                [self.program, services],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": "/usr/bin:/bin", **more.pop("env", {})},
                **more,
            ),
            script,
        )

    def run(self, services: Path, script: str, **more: Any) -> Outcome:
        """Run a script to its end."""
        return self.start(services, script, **more).outcome()


class Running:
    """A running pamdrive."""

    def __init__(self, process: "subprocess.Popen[bytes]", script: str) -> None:
        self._process = process
        assert process.stdin
        process.stdin.write(os.fsencode(script))
        process.stdin.close()
        process.stdin = None

    def outcome(self) -> Outcome:
        """Wait for the end, and read the output."""
        output, errors = self._process.communicate(timeout=_PATIENCE)
        assert self._process.returncode == 0, (self._process.returncode, errors.decode())
        return _read(output.decode())


@functools.cache
def _libffi() -> set[int]:
    return {file.stat().st_ino for file in Path("/usr/lib").glob("*/libffi.so.*")}


def _libffis_own(line: str) -> bool:
    """libffi 3.5 and later keeps its own file open, if pam_python has loaded it for _ctypes."""
    descriptor = re.fullmatch(r"fd \d+ \w+:(\w+)", line)
    return descriptor is not None and int(descriptor[1], 16) in _libffi()


def _read(output: str) -> Outcome:
    outcome = Outcome()
    call: dict[str, Any] = {"call": "look", "handle": 0, "code": 0}
    for line in output.splitlines():
        read = json.loads(line)
        if isinstance(read, list):
            outcome.hygiene.append([line for line in read if not _libffis_own(line)])
        elif "call" in read:
            call = read
        else:
            read["keyrings"] = dict(read["keyrings"])
            outcome.steps.append(Step(**call, **read))
            call = {"call": "look", "handle": 0, "code": 0}
    return outcome
