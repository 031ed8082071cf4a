"""The real set-user-ID su and sudo, run by a user who has prepared every possible attack.

The test traces the files that the privileged process looks for.  With our loader all of them
are in folders that only root can change; the same trace with pam_python.so shows that the test
can fail.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from loader.setuid import PROGRAMS, Trace, is_roots
from loader.test_hosts import Host

from support import mounts, native, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

MODULES = {
    native.as_opened(native.interpreter().with_name(name))
    for name in (native.interpreter().name, "pam_python.so")
}
PLANTED = "import os\nos.open({mark!r}, os.O_CREAT | os.O_WRONLY)\n"
NAMES = (
    *("site", "sitecustomize", "usercustomize", "os", "encodings", "codecs", "io", "abc", "pwd"),
    *("errno", "_ctypes", "posix", "pam_pykeyinit", "_pam_pykeyinit", "session", "module", "libc"),
)


def _plant(trap: Path, mark: Path) -> None:
    """Plant files with the names that an interpreter looks for, in every likely place."""
    version = f"python{native.VERSION}"
    code = PLANTED.format(mark=str(mark))
    for folder in (
        "",
        f"lib/{version}",
        f"lib/{version}/lib-dynload",
        f"lib/{version}/site-packages",
        f".local/lib/{version}/site-packages",
        "bin",
        f"lib/{version}/encodings",
    ):
        (trap / folder).mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (trap / folder / f"{name}.py").write_text(code)
        (trap / folder / "planted.pth").write_text(f"import os; open({str(mark)!r}, 'w')\n")
        (trap / folder / "pyvenv.cfg").write_text(f"home = {trap}/bin\n")
        (trap / folder / native.LIBPYTHON.name).write_text("not a library")
    for name in ("python", "python3", version):
        (trap / "bin" / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (trap / "bin" / name).chmod(0o755)
    for path in (trap, *trap.rglob("*")):
        subprocess.run(["chown", "-h", "alice:", path], check=True)


def _environment(trap: Path) -> dict[str, str]:
    names = "HOME PYTHONHOME PYTHONUSERBASE PYTHONPLATLIBDIR TMPDIR PYTHONPYCACHEPREFIX"
    return {
        **dict.fromkeys(names.split(), str(trap)),
        "PATH": f"{trap}/bin:{trap}:/usr/bin:/bin",
        "PYTHONPATH": f"{trap}:{trap}/lib/python{native.VERSION}",
        "PYTHONSTARTUP": f"{trap}/site.py",
        "PYTHONEXECUTABLE": f"{trap}/bin/python3",
        "PYTHONINSPECT": "1",
        "PYTHONVERBOSE": "1",
        "PYTHONUTF8": "0",
        "PYTHONMALLOC": "debug",
        "LC_ALL": f"{trap}/locale",
        "LOCPATH": str(trap),
        "LANGUAGE": str(trap),
        "LD_LIBRARY_PATH": f"{trap}:{trap}/bin",
        "LD_PRELOAD": f"{trap}/{native.LIBPYTHON.name}",
    }


@pytest.mark.parametrize("program", sorted(PROGRAMS))
@pytest.mark.parametrize(
    ("loader", "safe"), [("pam_pykeyinit.so", True), ("pam_python.so pam_pykeyinit.py", False)]
)
def test_it_looks_for_nothing_that_its_caller_could_have_placed(
    program: str, loader: str, safe: bool, driver: Driver, tmp_path: Path, journal: Journal
) -> None:
    trap = driver.scratch / "trap"
    mark = driver.scratch / "marks"
    mark.mkdir()
    mark.chmod(0o777)
    _plant(trap, mark / "planted code was run")
    at, command = PROGRAMS[program](driver, loader)
    file = tmp_path / "trace"
    strace = ["strace", "-ff", "-o", str(file), "-s", "4096", "-u", "alice"]
    strace += ["-e", "trace=%file,setuid,setresuid,setreuid"]
    for name, value in _environment(trap).items():
        strace += ["-E", f"{name}={value}"]
    run = subprocess.run(
        [mounts.wrapper(tmp_path / "run", at, *strace, *command)],
        cwd=trap,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    texts = [path.read_text(errors="replace") for path in sorted(tmp_path.glob("trace.*"))]
    trace = Trace(
        next(text for text in texts if f'"/etc/pam.d/{program}"' in text), world.uid("bob")
    )
    since = trace.since(loader.split()[0])
    # sudo looks at its working folder, which is not our concern.
    bad = {path for path in since - {str(trap)} if not is_roots(path)}

    if safe:
        assert native.as_opened(native.interpreter()) in since, "it shows too little"
        assert not [path for path in since if "python" in path and path not in MODULES]
        assert bad == set()
        assert not list(mark.iterdir()), "planted code was run"
        assert run.stdout.split()[:1] == [str(world.uid("bob"))], run.stderr
        assert [repr(line) for line in journal.ours()] == []
    else:
        assert bad, "the trace does not show what it should"


@pytest.mark.parametrize(("module", "later"), [("pam_pykeyinit.so", 0), (world.ORACLE, 28)])
def test_no_module_is_looked_for_again(module: str, later: int, driver: Driver) -> None:
    """In a second session, with another root folder.  The control: libpam unloads pam_keyinit."""
    root = driver.scratch / "root"
    (root / "etc").mkdir(parents=True)
    for name in world.USERS:
        shutil.copy(Path("/etc", name), root / "etc")
    line = f"session required {module} force revoke\n"
    shutil.copytree(driver.services(pykeyinit=line), root / "etc/pam.d")

    printed = Host(driver, line)(module, "/usr/bin/python3", "chrooting.py", str(root))
    assert printed.split() == ["0", "0", str(later), str(later)]
