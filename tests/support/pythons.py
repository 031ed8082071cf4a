"""Pythons of other versions than the system's: from OTHER_PYTHONS and PATH."""

import os
import shutil
import subprocess
from pathlib import Path

from support import native

_ASK = (
    "import sys, sysconfig as s; print('%d.%d' % sys.version_info[:2]); "
    "print(s.get_config_var('Py_GIL_DISABLED') or 0); "
    "print(s.get_config_var('LIBDIR') + '/' + (s.get_config_var('INSTSONAME') or 'none'))"
)


def _says(python: str) -> list[str]:
    """Its version, whether it has no GIL, and its library; None for another program."""
    run = subprocess.run(
        [python, "-I", "-c", _ASK],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.split() if run.returncode == 0 else []


def others() -> list[str]:
    """The programs."""
    named = os.environ.get("OTHER_PYTHONS", "").split(":")
    found = [shutil.which(f"python3.{n}") or "" for n in range(8, 20)]
    said = {path: _says(path) for path in dict.fromkeys([*named, *found]) if path}
    return [path for path, says in said.items() if says and says[:2] != [native.VERSION, "0"]]


def libraries() -> list[str]:
    """The shared libraries of those that have one."""
    paths = [_says(python)[2] for python in others()]
    return [path for path in paths if ".so" in path and Path(path).is_file()]
