"""The engine of a target: libFuzzer for the loader, atheris for Python, else Hypothesis."""

import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from fuzz.results import Result

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).with_name("corpus")
VENV = ROOT / "build/fuzz/venv"
TARGETS = ("loader", "stack", "options", "keys", "describe", "log")

_PRIVILEGED = ("loader", "stack")  # the real libpam, as root; it reads no file of the machine
_LONGEST_INPUT = 4096
_PATIENCE = 300  # seconds that a target may take longer than requested, on a busy machine
# Each version of Python needs its own version of atheris, for its wheels.
_ATHERIS = "3.0.0" if sys.version_info < (3, 12) else "3.1.0"
_SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter is never finalized
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
# No name is looked up in the network, although libpam looks up host names; and no stack of the
# machine is read, although an input may name one.
_PRIVATE = (
    "mount --bind $0/nsswitch.conf /etc/nsswitch.conf && mount --bind $0/none /etc/pam.d"
    ' && exec "$@"'
)


class Unavailable(Exception):
    """This target cannot be run here.  str() says why."""


@dataclass
class Engine:
    """How to run a target: a command that takes libFuzzer's arguments, if there is one."""

    means: str
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def fuzz(name: str, engine: Engine, seconds: int, work: Path, *, keep: bool = False) -> Result:
    """Run one target.  With `keep`, store the minimised corpus in the tree."""
    seeds, new = CORPUS / name, work / "corpus"
    new.mkdir(parents=True, exist_ok=True)
    run = _libfuzzer if engine.command else _unguided
    begun = time.monotonic()
    log, code = run(name, engine, seconds, [new, seeds], work)
    took = round(time.monotonic() - begun)  # what is found ends it
    count = re.search(r"stat::number_of_executed_units: (\d+)", log)
    executions = int(count[1]) if count else 0
    result = Result(name, engine.means, executions, took, len([*seeds.iterdir()]))
    if code:
        result.found = _telling(code, log)
        return result
    if keep and engine.command:
        _keep(engine, seeds, new, work)
    result.inputs = result.seeds + len([*new.iterdir()])
    result.reached = _edges(log) if name == "loader" else _replay(name, [seeds, new], work)
    return result


def _libfuzzer(
    name: str, engine: Engine, seconds: int, folders: list[Path], work: Path
) -> tuple[str, int]:
    words = work / "words"
    words.write_text(_dictionary(name))
    return _run(
        [
            *engine.command,
            f"-max_total_time={seconds}", f"-max_len={_LONGEST_INPUT}", f"-dict={words}",
            f"-artifact_prefix={work}/", "-print_final_stats=1", "-timeout=20",
            "-detect_leaks=0", "-rss_limit_mb=4096", *map(str, folders),
        ],
        engine, work, seconds + _PATIENCE,
    )  # fmt: skip


def _unguided(
    name: str, engine: Engine, seconds: int, folders: list[Path], work: Path
) -> tuple[str, int]:
    command = _module("fuzz.unguided", sys.executable)
    command = [*command, name, str(seconds), str(folders[-1])]
    return _run(command, engine, work, seconds + _PATIENCE)


def _edges(log: str) -> dict[str, list[int]]:
    """The edges of the loader according to libFuzzer: reached, and in all."""
    edges = re.findall(r"\((\d+) inline 8-bit counters\)", log)
    reached = re.findall(r"cov: (\d+)", log)
    return {"pam_pykeyinit.c": [int(reached[-1]), sum(map(int, edges))]}


def _telling(code: int, log: str) -> str:
    """The part of the output that describes the finding."""
    noise = r"#\d+\t|\tNEW_FUNC|stat::|INFO: "
    lines = [line for line in log.splitlines() if not re.match(noise, line)]
    return "\n".join([f"ended with {code}", *lines[-60:]])


def _replay(name: str, folders: list[Path], work: Path) -> dict[str, list[int]]:
    command = [*_module("fuzz.replay", sys.executable), name, *map(str, folders)]
    log, code = _run(command, Engine(""), work)
    if code:
        raise RuntimeError(f"replay of {name}: {log}")
    reached: dict[str, list[int]] = json.loads(log.splitlines()[-1])
    return reached


def _keep(engine: Engine, seeds: Path, new: Path, work: Path) -> None:
    """Put the smallest set of inputs with the coverage of all into the tree.

    Those named seed stay: they reach Python code that libFuzzer does not see in the loader.
    """
    merged = work / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir()
    folders = [merged, seeds, new]
    options = ["-merge=1", f"-max_len={_LONGEST_INPUT}", "-detect_leaks=0"]
    _, code = _run([*engine.command, *options, *map(str, folders)], engine, work)
    if not code and any(merged.iterdir()):
        for path in seeds.iterdir():
            if not path.name.startswith("seed"):
                path.unlink()
        shutil.copytree(merged, seeds, dirs_exist_ok=True)


def _dictionary(name: str) -> str:
    words = import_module(f"fuzz.targets.{name}").WORDS
    lines = []
    for word in words:
        escaped = "".join(
            chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
            for byte in word.encode()
        )
        lines.append(f'"{escaped}"\n')
    return "".join(lines)


# ---- processes ----


def _module(name: str, python: str) -> list[str]:
    return [python, "-P", "-m", name]


def _run(
    command: list[str], engine: Engine, work: Path, seconds: int | None = None
) -> tuple[str, int]:
    """Run a command; as root, where it sees no PAM stack of the machine and no name server.

    Returns its output and its code.  It is ended after this many seconds.
    """
    path = [str(ROOT / "tests"), os.environ.get("PYTHONPATH")]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        **engine.environment,
    }
    if os.geteuid() == 0:
        private = work / "private"
        (private / "none").mkdir(parents=True, exist_ok=True)
        (private / "nsswitch.conf").write_text(
            "".join(f"{name}: files\n" for name in ("passwd", "group", "shadow", "hosts"))
        )
        unshare = ["unshare", "--mount", "--propagation", "unchanged"]  # also in a chroot
        command = [*unshare, "sh", "-c", _PRIVATE, str(private), *command]
    with tempfile.TemporaryDirectory(prefix="fuzz.") as scratch:
        environment["TMPDIR"] = scratch
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=work, env=environment,
            text=True, errors="replace",
        ) as process:  # fmt: skip
            try:
                log, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                log, _ = process.communicate()
                log += f"\nit came to no end in {seconds} s\n"
    return log, process.returncode


def engine(name: str) -> Engine:
    """Build or fetch what a target needs.  Raises Unavailable, and RuntimeError."""
    world = os.environ.get("WORLD")
    if name in _PRIVILEGED and not (world and os.geteuid() == 0):
        raise Unavailable("needs root and a world of its own: sudo ./setup test")
    if name == "loader":
        return _loader(world or "")
    VENV.parent.mkdir(parents=True, exist_ok=True)
    with VENV.with_name("lock").open("w") as lock:  # other targets may need it at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _python(name)


def _loader(world: str) -> Engine:
    folder = Path(world) / "fuzz"
    if not (folder / "harness").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        build = Path(__file__).with_name("loader") / "build.sh"
        _build([str(build), str(folder)])
    module = folder / "build/pam_pykeyinit/loader/pam_pykeyinit.so"
    return Engine(
        "coverage-guided (libFuzzer, AddressSanitizer, UBSan)",
        [str(folder / "harness")],
        {**_SANITIZERS, "FUZZ_MODULE": str(module), "WORLD": world},
    )


def _build(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")


def _python(name: str) -> Engine:
    """atheris, in a folder of its own; without atheris, no command."""
    python = VENV / "bin/python"
    try:
        if not python.exists():
            # Debian's Python and its packages, because they run the installed module.
            _build(["/usr/bin/python3", "-m", "venv", "--system-site-packages", str(VENV)])
        install = "install --quiet --disable-pip-version-check --only-binary=:all:".split()
        have = [str(python), "-c", "import atheris"]
        if subprocess.run(have, capture_output=True).returncode:
            _build([str(VENV / "bin/pip"), *install, f"atheris=={_ATHERIS}"])
    except RuntimeError as error:
        why = str(error).strip().splitlines()[-1]
        return Engine(f"NOT coverage-guided, by Hypothesis: no atheris here ({why})")
    again = VENV / f"fuzz-{name}"
    again.write_text(
        f'#!/bin/sh\nexec {shlex.join(_module("fuzz.guided", str(python)))} {name} "$@"\n'
    )
    again.chmod(0o755)
    environment = {"FUZZ_COMMAND": str(again)}
    return Engine(f"coverage-guided (atheris {_ATHERIS})", [str(again)], environment)
