"""Programs that are Python themselves, with the clients of PAM as they are distributed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import mounts, native, world
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

    def __init__(self, driver: Driver, stack: str = STACK) -> None:
        self._driver = driver
        self._stack = stack

    def __call__(
        self, python: str | Path, script: str, *more: str
    ) -> "subprocess.CompletedProcess[str]":
        services = self._driver.services(pykeyinit=self._stack)
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
    "script",
    [
        "subinterpreter.py",
        "finalizing.py",
        "daemons.py",
        "forking.py",
        "holding.py",
        "namesake.py",
    ],
)
def test_a_host_in_a_state_of_its_own(script: str, host: Host) -> None:
    run = host("/usr/bin/python3", script)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split()[-1] == "fine"


def _others() -> list[str]:
    """Pythons of other versions: those that OTHER_PYTHONS names, and those in PATH."""
    named = os.environ.get("OTHER_PYTHONS", "").split(":")
    found = [shutil.which(f"python3.{n}") or "" for n in range(8, 20)]
    versions = {path: _version(path) for path in [*named, *found] if path}
    return [path for path, version in versions.items() if version not in ("", native.VERSION)]


def _version(python: str) -> str:
    """The version of a Python; empty for what only looks like one."""
    ask = [python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    environment = {"PATH": "/usr/bin:/bin"}
    run = subprocess.run(ask, env=environment, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def _loader_of_another_version(build: Path) -> Path:
    """The same loader, built as if for a later Python: every machine can try that."""
    options = ["-Dloader_python=3.99", f"-Dpython.purelibdir={native.package().parent}"]
    setup = ["meson", "setup", *options, str(build), str(world.ROOT)]
    for command in (setup, ["ninja", "-C", str(build)]):
        subprocess.run(command, check=True, capture_output=True)
    return build / "pam_pykeyinit/loader/pam_pykeyinit.so"


@pytest.mark.parametrize("other", ["", *_others()])
def test_a_host_of_another_version_is_refused(
    other: str, driver: Driver, journal: Journal, tmp_path: Path
) -> None:
    stack = STACK
    if not other:
        stack = STACK.replace("pam_pykeyinit.so", str(_loader_of_another_version(tmp_path / "b")))
    run = Host(driver, stack)(other or "/usr/bin/python3", "bare.py")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == [str(SESSION_ERR), str(SESSION_ERR)]
    lines = journal.ours()
    assert [line.level for line in lines] == ["ERR", "ERR"]
    assert all("another version of Python" in line.text for line in lines)


def _preloaded(source: str, folder: Path) -> dict[str, str]:
    """An environment in which a program has this C as a part of it."""
    library = folder / "preloaded.so"
    build = ["gcc", "-shared", "-fPIC", "-xc", "-", "-o", str(library)]
    subprocess.run(build, input=source, text=True, check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.mark.parametrize("kind", ["3.99.1", f"{native.VERSION}.1 free-threading build"])
def test_a_program_with_a_python_of_another_kind_is_refused(
    kind: str, driver: Driver, tmp_path: Path, journal: Journal
) -> None:
    """By what it says of itself; it is not asked for anything else."""
    source = f'const char *Py_GetVersion(void) {{ return "{kind}"; }}'
    script = "start 0 s alice\nopen 0\nend 0\n"

    run = driver.run(driver.services(s=STACK), script, env=_preloaded(source, tmp_path))

    assert run.steps[1].code == SESSION_ERR
    (line,) = journal.ours()
    assert line.text.endswith("cannot use Python: the program runs another version of Python")


def test_no_other_part_of_the_program_finds_our_python(driver: Driver, tmp_path: Path) -> None:
    """Whoever looks for one, as we do, would take it for the program's own."""
    source = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
static __attribute__((destructor)) void look(void)
{{
    FILE *seen = fopen("{tmp_path}/seen", "w");
    fputs(dlsym(RTLD_DEFAULT, "Py_GetVersion") ? "Python" : "nothing", seen);
    fclose(seen);
}}
"""
    script = "start 0 s alice\nopen 0\nend 0\n"
    driver.run(driver.services(s=STACK), script, env=_preloaded(source, tmp_path))
    assert (tmp_path / "seen").read_text() == "nothing"


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
    why = "the program has " + ("ended it" if codes[0] == 0 else "a Python that is not running")
    lines = [line.text.partition(": ")[2] for line in journal.ours()]
    assert lines == [f"cannot use Python: {why}"] * codes.count(SESSION_ERR)
