"""The versions of a system's Debian packages."""

import os
import shutil
import subprocess
from pathlib import Path

from pykeyinit_helper.stacks.below import LIBRARY, Below

_STATUS = Path("/var/lib/dpkg/status")


def installed(below: Below, package: str) -> str:
    """The version of a package; "" if it is not installed."""
    try:
        status = below.read(_STATUS, LIBRARY).decode("utf-8", "replace")
    except OSError:
        return ""
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.split("\n") if ": " in line)
        if fields.get("Package") == package and fields.get("Status", "").endswith(" installed"):
            return fields.get("Version", "")
    return ""


def is_there() -> bool:
    """Whether this machine can compare versions."""
    return shutil.which("dpkg") is not None


def later(one: str, other: str) -> bool:
    """Whether one version is later than another one."""
    command = ["dpkg", "--compare-versions", one, "gt", other]
    env = {"PATH": os.environ.get("PATH", os.defpath)}  # without HOME it does not read ~/.dpkg.cfg
    return subprocess.run(command, check=False, env=env).returncode == 0  # noqa: S603
