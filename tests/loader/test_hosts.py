"""Programs that are Python themselves, with the clients of PAM as they are distributed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import mounts, native
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

HERE = Path(__file__).parent
STACK = """auth required pam_permit.so
account required pam_permit.so
session required pam_pykeyinit.so force revoke"""
SESSION_ERR = 14


class Host:
    """Runs a script of the folder hosts/ in a Python, where /etc/pam.d has our service."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __call__(
        self, python: str | Path, script: str, *more: str
    ) -> "subprocess.CompletedProcess[str]":
        services = self._driver.services(pykeyinit=STACK)
        program = mounts.wrapper(
            self._driver.scratch / "host",
            {"/etc/pam.d": services},
            str(python),
            str(HERE / "hosts" / script),
            *more,
        )
        return subprocess.run(
            [program], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120
        )


@pytest.fixture
def host(driver: Driver) -> Host:
    """Runs a Python program."""
    return Host(driver)


@pytest.fixture(scope="session", params=["system", "venv"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The system's Python, and a virtual environment of it."""
    if request.param == "system":
        return "/usr/bin/python3"
    where = tmp_path_factory.mktemp("venv")
    subprocess.run(
        ["/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", where],
        check=True,
    )
    return str(where / "bin/python3")


@pytest.mark.parametrize("client", ["pamela", "pam"])
@pytest.mark.parametrize("threads", [0, 8])
def test_a_client_opens_and_closes(
    client: str, threads: int, python: str, host: Host, journal: Journal
) -> None:
    run = host(python, "sessions.py", client, str(threads), "50")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == [str(max(threads, 1) * 50)]
    assert [repr(line) for line in journal.ours()] == []


@pytest.mark.parametrize(
    "script", ["subinterpreter.py", "finalizing.py", "forking.py", "namesake.py"]
)
def test_a_host_in_a_state_of_its_own(script: str, host: Host) -> None:
    run = host("/usr/bin/python3", script)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split()[-1] == "fine"


def _others() -> list[str]:
    folders = Path("/root/.pyenv/versions").glob("3.*/bin/python3")
    found = [str(path) for path in folders] + [
        shutil.which(f"python3.{n}") or "" for n in range(8, 20)
    ]
    return sorted(path for path in found if path and f"3.{sys.version_info[1]}" not in path)


@pytest.mark.parametrize("other", _others() or [None])
def test_a_host_of_another_version_is_refused(
    other: str | None, host: Host, journal: Journal
) -> None:
    if other is None:
        pytest.skip("no Python of another version on this machine")
    run = host(other, "bare.py")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == [str(SESSION_ERR), str(SESSION_ERR)]
    lines = journal.ours()
    assert [line.level for line in lines] == ["ERR", "ERR"]
    assert all("another version of Python" in line.text for line in lines)


@pytest.mark.parametrize(
    ("steps", "codes"),
    [
        ("init open close end finalize", [0, 0, 0]),
        ("hold open close end finalize", [0, 0, 0]),
        ("init open finalize close end", [0, SESSION_ERR, 0]),
        ("init finalize open close end", [SESSION_ERR, SESSION_ERR, 0]),
        ("idle open close end", [SESSION_ERR, SESSION_ERR, 0]),
        (
            "init open close end finalize init open close end",
            [0, 0, 0, SESSION_ERR, SESSION_ERR, 0],
        ),
    ],
)
def test_a_program_that_embeds_python(
    steps: str, codes: list[int], driver: Driver, journal: Journal
) -> None:
    run = subprocess.run(
        [
            driver.program.parent / "embed",
            native.LIBPYTHON,
            driver.services(s=STACK),
            "s",
            "alice",
            *steps.split(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert [int(code) for code in run.stdout.split()] == codes
    assert len(journal.ours()) == codes.count(SESSION_ERR)
