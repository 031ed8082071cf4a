"""pam_pykeyinit.so and its package, as installed in this world."""

import shutil
import sysconfig
from pathlib import Path

from support import world

SOURCES = world.ROOT / "pam_pykeyinit/loader"
VERSION = sysconfig.get_config_var("py_version_short")
LIBPYTHON = Path(sysconfig.get_config_var("LIBDIR")) / sysconfig.get_config_var("INSTSONAME")
MULTIARCH = sysconfig.get_config_var("MULTIARCH") or ""
STDLIB = Path(sysconfig.get_path("stdlib"))


def module() -> Path:
    """The loader that libpam finds."""
    return Path("/lib") / MULTIARCH / "security/pam_pykeyinit.so"


def interpreter() -> Path:
    """The file with its Python, in the same folder."""
    return module().with_name("pam_pykeyinit_python.so")


def as_opened(path: Path) -> str:
    """The path of a module as libpam prints it: since Debian 13 it is below /usr."""
    libpam = Path("/lib", MULTIARCH, "libpam.so.0").read_bytes()
    return f"/usr{path}" if f"/usr{path.parent}/".encode() in libpam else str(path)


def package() -> Path:
    """The folder of our package, for pam_python and the helper."""
    import pam_pykeyinit

    assert pam_pykeyinit.__file__
    return Path(pam_pykeyinit.__file__).parent


def copy(where: Path) -> Path:
    """A copy of the package's folder, without bytecode, to change it."""
    return Path(shutil.copytree(package(), where, ignore=shutil.ignore_patterns("__pycache__")))
