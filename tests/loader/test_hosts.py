"""Programs in Python, with unmodified clients of PAM.

Each also runs with pam_keyinit: what works there must work here, in any version of Python.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import mounts, native, pythons, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

HERE = Path(__file__).parent
PACKAGES = Path("/usr/lib/python3/dist-packages")  # Debian's
OURS = "pam_pykeyinit.so"
MODULES = [OURS, world.ORACLE]
FAILS_IN_THREADS = "pam_keyinit's ids are the whole process's: it fails some of them"
STACK = """auth required pam_permit.so
account required pam_permit.so
session required {} {}"""


class Host:
    """Runs a script of the folder hosts/ in a Python, where /etc/pam.d has our service."""

    def __init__(
        self, driver: Driver, stack: str = STACK, mounted: Mapping[str, Path] | None = None
    ) -> None:
        """With a stack in which {} is replaced by the module and its options."""
        self._driver = driver
        self._stack = stack
        self._mounted = mounted or {}

    def __call__(
        self,
        module: str,
        python: str | Path,
        script: str,
        *more: str,
        packages: str = "",
        options: str = "force revoke",
    ) -> str:
        """Its output; it must succeed, without errors."""
        services = self._driver.services(pykeyinit=self._stack.format(module, options))
        program = mounts.wrapper(
            self._driver.scratch / "host",
            {"/etc/pam.d": services, **self._mounted},
            str(python),
            str(HERE / "hosts" / script),
            *more,
        )
        environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        if packages:
            environment["PYTHONPATH"] = packages
        run = subprocess.run(
            [program], env=environment, capture_output=True, text=True, timeout=60
        )
        assert (run.returncode, run.stderr) == (0, ""), run.stdout
        return run.stdout


@pytest.fixture
def host(driver: Driver) -> Host:
    """Runs a Python program."""
    return Host(driver)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with only Debian's pamela and python-pam, for Pythons that are not Debian's."""
    folder = tmp_path_factory.mktemp("clients")
    for name in ("pamela.py", "pam", "six.py"):
        found = PACKAGES / name
        if found.is_dir():
            shutil.copytree(found, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif found.exists():
            shutil.copy(found, folder)
    return str(folder)


@pytest.fixture(scope="module", params=["system", "venv", *pythons.others()])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The system's Python, a virtual environment of it, and those of other versions."""
    if request.param == "system":
        return "/usr/bin/python3"
    if request.param != "venv":
        return str(request.param)
    where = tmp_path_factory.mktemp("venv")
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", where], check=True)
    return str(where / "bin/python3")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("client", ["pamela", "pam"])
@pytest.mark.parametrize("threads", [0, 8])
def test_a_client_opens_and_closes(
    client: str,
    threads: int,
    module: str,
    python: str,
    packages: str,
    host: Host,
    journal: Journal,
) -> None:
    """Each session is its user's and is revoked at its end, also with eight threads."""
    if (module, threads) == (world.ORACLE, 8):
        world.leave_out(FAILS_IN_THREADS)
    printed = host(module, python, "sessions.py", client, str(threads), "50", packages=packages)

    sessions = max(threads, 1) * 50
    # pamela closes with another handle, and libpam has unloaded pam_keyinit until then.
    revoked = 0 if (client, module) == ("pamela", world.ORACLE) else sessions
    assert printed.split() == [str(sessions), str(revoked)]
    assert [repr(line) for line in journal.ours()] == []


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    "script",
    ["bare.py", "subinterpreter.py", "finalizing.py", "daemons.py", "forking.py", "namesake.py"],
)
def test_a_host_in_a_state_of_its_own(
    script: str, module: str, python: str, host: Host, journal: Journal
) -> None:
    """No state of its Python makes a session fail."""
    if module == world.ORACLE and script in ("daemons.py", "forking.py"):  # they have threads
        world.leave_out(FAILS_IN_THREADS)
    assert host(module, python, script).split()[-1] == "fine"
    assert [repr(line) for line in journal.ours()] == []


def test_what_holds_the_rights_to_a_keyring_ends_with_it(host: Host) -> None:
    """In a host with threads."""
    assert host(OURS, "/usr/bin/python3", "holding.py").split()[-1] == "fine"


def _preloaded(source: str, folder: Path) -> dict[str, str]:
    """An environment in which a program contains this C code."""
    library = folder / "preloaded.so"
    build = ["gcc", "-shared", "-fPIC", "-xc", "-", "-o", str(library)]
    subprocess.run(build, input=source, text=True, check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.mark.parametrize("kind", ["3.99.1", f"{native.VERSION}.1 free-threading build"])
def test_what_looks_like_a_python_of_another_kind_is_left_alone(
    kind: str, driver: Driver, tmp_path: Path, journal: Journal
) -> None:
    """None of its functions is called: that would end the program."""
    names = ("Py_IsInitialized", "PyGILState_Ensure", "Py_InitializeFromConfig")
    source = "#include <stdlib.h>\nint _PyRuntime[4096];\n"
    source += f'const char *Py_GetVersion(void) {{ return "{kind}"; }}\n'
    source += "".join(f"void {name}(void) {{ abort(); }}\n" for name in names)
    services = driver.services(s=STACK.format(OURS, "force revoke"))

    run = driver.run(
        services,
        "start 0 s alice\nopen 0\nclose 0\nend 0\n",
        env=_preloaded(source, tmp_path),
    )

    assert run.codes() == [0, 0]
    assert run.steps[1].fields[1] == world.uid("alice")
    assert [repr(line) for line in journal.ours()] == []


def test_no_other_part_of_the_program_finds_our_python(driver: Driver, tmp_path: Path) -> None:
    """Such a part would take it for the program's own."""
    source = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
static __attribute__((destructor)) void look(void)
{{
    FILE *seen = fopen("{tmp_path}/seen", "w");
    int found = dlsym(RTLD_DEFAULT, "Py_GetVersion") || dlsym(RTLD_DEFAULT, "_PyRuntime");
    fputs(found ? "Python" : "nothing", seen);
    fclose(seen);
}}
"""
    script = "start 0 s alice\nopen 0\nend 0\n"
    services = driver.services(s=STACK.format(OURS, "force revoke"))
    driver.run(services, script, env=_preloaded(source, tmp_path))
    assert (tmp_path / "seen").read_text() == "nothing"
