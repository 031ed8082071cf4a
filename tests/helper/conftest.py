"""Shared code of the helper's tests: the installed program, and stages to start it on."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pam_pykeyinit.kernel import sysnums
from support import keyusers, pam_folder, world

if TYPE_CHECKING:
    from helper.run.secret_files import Secrets
    from helper.run.supervisors import Supervisors

PYTHON = ("/usr/bin/python3", "-IS")
HELPER = "/usr/local/bin/pykeyinit-helper"

# A uid's keyrings are shared by all worlds of the machine, so these uids are this world's own:
# one for keys, one for a used-up quota.
UID = str(world.first_uid() + 20)
GREEDY = str(world.first_uid() + 21)
OF_THE_KERNEL = 3  # @u, @us and the persistent keyring
AS = (HELPER, "run", "--quiet", f"--user={UID}:{UID}")


class Started:
    """The result of one start."""

    def __init__(self, process: "subprocess.CompletedProcess[bytes]") -> None:
        self.code = process.returncode
        self.output = process.stdout.decode("utf-8", "surrogateescape")
        self.errors = process.stderr.decode("utf-8", "surrogateescape")

    @property
    def reported(self) -> dict[str, Any]:
        """The report of the probe."""
        assert self.code == 0, (self.code, self.errors)
        read: dict[str, Any] = json.loads(self.output)
        return read

    @property
    def description(self) -> tuple[str, int, int, str, str]:
        """Type, owner, group, permissions and name of the program's session keyring."""
        kind, owner, group, permissions, name = self.reported["description"].split(";", 4)
        return kind, int(owner), int(group), permissions, name

    @property
    def links(self) -> list[str]:
        """The names of the keys in it."""
        return [link.split(";", 4)[4] for link in self.reported["links"]]


class Stage:
    """Starts programs with the session keyring that a test needs."""

    def __init__(self, probe: Path) -> None:
        self.probe = probe
        self.tell = (*PYTHON, str(probe), "tell")

    def command(self, kind: str, *command: str) -> list[str]:
        """The command line that sets the stage and then runs a command."""
        return [*PYTHON, str(self.probe), "stage", *kind.split(), "--", *command]

    def start(self, kind: str, *command: str, **more: Any) -> Started:
        """Run a command to its end on a stage such as "revoked alice"."""
        if "input" not in more:
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
    shutil.copy(sysnums.__file__, where.with_name("sysnums.py"))
    return Stage(where)


@pytest.fixture(scope="session")
def supervisors() -> "Supervisors":
    """Debian's programs that start daemons."""
    from helper.run.supervisors import Supervisors

    return Supervisors()


@pytest.fixture
def _dave_has_a_key() -> Iterator[None]:
    from helper.run.supervisors import a_key_of_daves

    with a_key_of_daves():
        yield


@pytest.fixture
def shared() -> Iterator[str]:
    """The name of a file that any user can write."""
    folder = world.folder()
    assert folder
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        Path(file.name).chmod(0o666)
        yield file.name


@pytest.fixture
def _no_keys() -> Iterator[None]:
    """UID has no keys before and after the test, and @us is as the kernel creates it.

    Dead keys that still count for its quota are collected first.
    """
    # A linked expired key counts until the kernel collects it, which takes minutes.
    persistent = "keyctl clear $(keyctl get_persistent @us)"
    rings = "keyctl clear @u && keyctl clear @us && keyctl link @u @us"
    clear = [*AS, "sh", "-c", f"{rings}; {persistent}; {rings}"]
    subprocess.run(clear, check=True)
    assert keyusers.settle(int(UID), OF_THE_KERNEL) <= OF_THE_KERNEL
    yield
    subprocess.run(clear, check=True)


@pytest.fixture
def secrets() -> "Secrets":
    """A folder for secrets, where every user can get to it, new for each test."""
    from helper.run.secret_files import Secrets, new_folder

    return Secrets(new_folder())


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Path]:
    """An empty /usr/lib/pam.d of this test only."""
    with pam_folder.vendors(tmp_path / "vendors") as folder:
        yield folder


def is_dead(serial: int | str) -> bool:
    """Whether a keyring is revoked, or no longer exists."""
    done = subprocess.run(["keyctl", "rdescribe", str(serial)], capture_output=True, text=True)
    return "revoked" in done.stderr or "Required key not available" in done.stderr


def output(
    stage: Stage, script: str, *options: str, first: str = "none", code: int | None = None
) -> str:
    """The output of a shell script that `run` starts."""
    started = stage.start(first, *AS, *options, "sh", "-c", script)
    assert "Traceback" not in started.errors
    if code is not None:
        assert started.code == code, (started.output, started.errors)
    return started.output
