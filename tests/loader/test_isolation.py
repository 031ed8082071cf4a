"""The real set-user-ID su, run by an ordinary user who has prepared everything that he can.

What the privileged process looks for is traced.  With our loader all of it is in folders
that are root's alone; the same trace with pam_python.so shows that the test can fail.
"""

import re
import subprocess
from pathlib import Path

import pytest

from support import mounts, native, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

STACK = """auth required pam_permit.so
account required pam_permit.so
session optional {loader} force revoke"""
PLANTED = "import os\nos.open({mark!r}, os.O_CREAT | os.O_WRONLY)\n"
NAMES = (
    *("site", "sitecustomize", "usercustomize", "os", "encodings", "codecs", "io", "abc", "pwd"),
    *("errno", "_ctypes", "posix", "pam_pykeyinit", "_pam_pykeyinit", "session", "module", "libc"),
)


def _plant(trap: Path, mark: Path) -> None:
    """Files of the names that an interpreter may look for, in every likely place."""
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


def _looked_for(trace: Path) -> set[str]:
    """The paths of every call up to the moment the process gives its privileges up."""
    paths: set[str] = set()
    for line in trace.read_text(errors="replace").splitlines():
        if re.match(r"set(res|re)?uid\(", line) and "61002" in line and " 61002, 61002)" in line:
            break  # it has become the user
        if line.startswith(("execve(", "chdir(")):
            continue
        path = re.match(r'\w+\((?:AT_FDCWD, )?"([^"]+)"', line)
        if path:
            paths.add(path[1])
    return paths


@pytest.mark.parametrize(
    ("loader", "safe"), [("pam_pykeyinit.so", True), ("pam_python.so pam_pykeyinit.py", False)]
)
def test_su_looks_for_nothing_that_its_caller_could_have_placed(
    loader: str, safe: bool, driver: Driver, tmp_path: Path, journal: Journal
) -> None:
    trap = driver.scratch / "trap"
    mark = driver.scratch / "marks"
    mark.mkdir()
    mark.chmod(0o777)
    _plant(trap, mark / "planted code was run")
    stack = STACK.format(loader=loader)
    services = driver.services(su=stack, **{"su-l": stack})
    trace = tmp_path / "trace"
    strace = [
        "strace",
        "-ff",
        "-o",
        str(trace),
        "-s",
        "4096",
        "-u",
        "alice",
        "-e",
        "trace=%file,setuid,setresuid,setreuid",
    ]
    for name, value in _environment(trap).items():
        strace += ["-E", f"{name}={value}"]
    program = mounts.wrapper(tmp_path / "su", {"/etc/pam.d": services}, *strace, "/bin/su")

    run = subprocess.run(
        [program, "bob", "-c", "/usr/bin/id -u"],
        cwd=trap,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    traces = sorted(tmp_path.glob("trace.*"))
    privileged = next(
        path for path in traces if "/etc/pam.d/su" in path.read_text(errors="replace")
    )
    looked_for = _looked_for(privileged)
    bad = {path for path in looked_for if path.startswith(str(trap)) or path[0] != "/"}

    if safe:
        assert str(native.STDLIB / "encodings/__init__.py") in looked_for, "it shows too little"
        assert bad == set()
        assert not list(mark.iterdir()), "planted code was run"
        assert run.stdout.split()[:1] == [str(world.uid("bob"))], run.stderr
        assert [repr(line) for line in journal.ours()] == []
    else:
        assert bad, "the trace does not show what it should"
