"""JupyterHubs for tests: Debian's, and those of PyPI in a chosen Python."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import fetched, native, pythons, world

PROXY = "configurable-http-proxy"


@dataclass(frozen=True)
class Installation:
    """The paths of a JupyterHub and its proxy, and their environment."""

    command: list[str]
    proxy: list[str]
    data: Path
    environment: dict[str, str]


def _debians() -> Installation:
    """Debian's packages, unpacked: those that this machine lacks."""
    usr = fetched.debian("jupyterhub", "jupyterhub", everything=True) / "usr"
    node = shutil.which("node", path=f"{usr}/bin:/usr/bin") or "node"
    libraries = f"{usr}/lib/{native.MULTIARCH}"
    if subprocess.run(
        [node, "-e", "0"], env={"LD_LIBRARY_PATH": libraries}, check=False
    ).returncode:
        world.leave_out("Debian 13's node runs only where its package is installed")
    environment = {
        "PATH": f"/usr/local/bin:/usr/bin:/bin:{usr}/bin",
        "LD_LIBRARY_PATH": libraries,
        "PYTHONPATH": str(usr / "lib/python3/dist-packages"),
        "NODE_PATH": f"{usr}/share/nodejs:{usr}/lib/{native.MULTIARCH}/nodejs",
    }
    return Installation(
        ["/usr/bin/python3", str(usr / "bin/jupyterhub")],
        [node, str(usr / f"share/nodejs/{PROXY}/bin/{PROXY}")],
        usr / "share/jupyterhub",
        environment,
    )


def _pypis(version: str, python: str = "/usr/bin/python3") -> Installation:
    """From PyPI, in a venv of a Python; its proxy is npm's."""
    node = fetched.with_node()
    proxy = fetched.npm(fetched.CACHE / PROXY, node, f"{PROXY}@5")
    name = f"jupyterhub-{version}{python.replace('/', '-')}"
    venv = fetched.venv(fetched.CACHE / name, f"jupyterhub=={version}.*", python=python)
    return Installation(
        [f"{venv}/bin/python", "-m", "jupyterhub"],
        [str(fetched.node(node)), str(proxy / f"node_modules/{PROXY}/bin/{PROXY}")],
        venv / "share/jupyterhub",
        {"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )


def another_python() -> str:
    """A Python of another version than the system's, for JupyterHub 6."""
    new_enough = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"
    for python in pythons.others():
        if subprocess.run([python, "-I", "-c", new_enough], check=False).returncode == 0:
            break
    else:
        world.leave_out("no Python of another version here: name one in OTHER_PYTHONS")
    return python


HUBS: dict[str, Callable[[], Installation]] = {
    "3": _debians,
    "5": lambda: _pypis("5"),
    "6": lambda: _pypis("6"),
    "6, in another Python": lambda: _pypis("6", another_python()),
}
