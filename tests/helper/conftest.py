"""What the helper's tests share: the installed program, and stages to start it on."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import world

PYTHON = ("/usr/bin/python3", "-IS")
HELPER = "/usr/local/bin/pykeyinit-helper"


class Started:
    """What became of one start."""

    def __init__(self, process: "subprocess.CompletedProcess[bytes]") -> None:
        self.code = process.returncode
        self.output = process.stdout.decode("utf-8", "surrogateescape")
        self.errors = process.stderr.decode("utf-8", "surrogateescape")

    @property
    def told(self) -> dict[str, Any]:
        """What the probe told."""
        assert self.code == 0, (self.code, self.errors)
        read: dict[str, Any] = json.loads(self.output)
        return read

    @property
    def description(self) -> tuple[str, int, int, str, str]:
        """Type, owner, group, permissions and name of the program's session keyring."""
        kind, owner, group, permissions, name = self.told["description"].split(";", 4)
        return kind, int(owner), int(group), permissions, name

    @property
    def links(self) -> list[str]:
        """The names of what is linked into it."""
        return [link.split(";", 4)[4] for link in self.told["links"]]


class Stage:
    """Starts programs with the session keyring that a test wants."""

    def __init__(self, probe: Path) -> None:
        self.probe = probe
        self.tell = (*PYTHON, str(probe), "tell")

    def command(self, kind: str, *command: str) -> list[str]:
        """The words that set the stage and then run a command."""
        return [*PYTHON, str(self.probe), "stage", *kind.split(), "--", *command]

    def start(self, kind: str, *command: str, **more: Any) -> Started:
        """Run a command to its end on a stage such as "revoked alice"."""
        more.setdefault("stdin", subprocess.DEVNULL)
        started = Started(
            subprocess.run(self.command(kind, *command), capture_output=True, timeout=60, **more)
        )
        if started.code == 99:
            world.skip(f"{kind}: the tests were started with a session keyring of their own")
        return started

    def run(self, kind: str, *options: str, **more: Any) -> Started:
        """The same for `pykeyinit-helper run OPTIONS -- probe tell`."""
        return self.start(kind, HELPER, "run", *options, "--", *self.tell, **more)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The stage, with its probe where every user can read it."""
    folder = world.folder()
    where = (folder or tmp_path_factory.mktemp("probe")) / "probe.py"
    shutil.copy(Path(__file__).with_name("probe.py"), where)
    where.chmod(0o644)
    return Stage(where)
