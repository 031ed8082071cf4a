"""Folders of PAM services that are one test's alone."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support import native, world

PAM_D, VENDORS, STATE = Path("/etc/pam.d"), Path("/usr/lib/pam.d"), Path("/var/lib")
DISTRIBUTIONS = world.ROOT / "tests/helper/stacks/distributions"
DEBIAN = DISTRIBUTIONS / "debian-12/etc/pam.d"


@contextlib.contextmanager
def private(folder: Path) -> Iterator[Path]:
    """/etc/pam.d with this world's services, and an empty /var/lib, both below the folder."""
    shutil.copytree(PAM_D, folder / "pam.d")
    (folder / "lib").mkdir()
    for mine, path in ((folder / "pam.d", PAM_D), (folder / "lib", STATE)):
        subprocess.run(["mount", "--bind", mine, path], check=True)
    try:
        yield PAM_D
    finally:
        for path in (PAM_D, STATE):
            subprocess.run(["umount", path], check=True)


@contextlib.contextmanager
def vendors(folder: Path) -> Iterator[Path]:
    """An empty /usr/lib/pam.d of one test alone, which not every system has.

    It is an overlay on /usr/lib; `folder` has its layers.
    """
    modules = native.module().parent.resolve()
    layers = {name: folder / name for name in ("lowerdir", "upperdir", "workdir")}
    (layers["lowerdir"] / "pam.d").mkdir(parents=True)
    for made in (layers["upperdir"], layers["workdir"], folder / "modules"):
        made.mkdir()
    layers["lowerdir"] = Path(f"{layers['lowerdir']}:/usr/lib")
    options = ",".join(f"{name}={path}" for name, path in layers.items())
    # The overlay does not include mounts below it: this world's modules.
    for words in (
        ["--bind", modules, folder / "modules"],
        ["-t", "overlay", "-o", options, "pykeyinit", "/usr/lib"],
        ["--bind", folder / "modules", modules],
        ["-t", "tmpfs", "-o", "mode=755", "pykeyinit", VENDORS],
    ):
        subprocess.run(["mount", *words], check=True)
    try:
        yield VENDORS
    finally:
        for path in (VENDORS, modules, Path("/usr/lib"), folder / "modules"):
            subprocess.run(["umount", "-l", path], check=True)
