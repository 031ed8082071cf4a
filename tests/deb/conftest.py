"""Packages, and scratch systems to install them in."""

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import native, pam_folder, world

from .system import System

# A pattern of apt's may match nothing: sid has no python3-keyutils any more.
INSTALLED = (
    "python3,?exact-name(python3-keyutils),python3-pamela,python3-pampy,python3-six,"
    "libpam-python,libpam-modules,libpython3-stdlib"
)
# PAM lines, and whether they lock out all users after the module is removed.
LINES = (
    ("session required pam_pykeyinit.so force", True),
    ("session [success=ok default=die] pam_pykeyinit.so force", True),
    ("session sufficient pam_python.so pam_pykeyinit.py force", True),
    ("session optional pam_pykeyinit.so force", False),
    ("-session required pam_pykeyinit.so force", False),
    ("session [success=ok default=ignore] pam_pykeyinit.so", False),
    ("# session required pam_pykeyinit.so", False),
)
_numbers = itertools.count()


def suite() -> str:
    """The release that this machine's packages come from; os-release(5) calls sid testing."""
    asked = ("/usr/bin/apt-get", "indextargets", "--format", "$(RELEASE)")
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return done.stdout.split()[0]


@pytest.fixture(autouse=True, scope="session")
def _asked_for(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--deb"):
        world.leave_out("takes minutes, and Debian's archive: sudo ./setup deb --test")


def scratch() -> Path:
    """A new folder in the world's tmpfs."""
    folder = world.folder()
    assert folder
    made = folder / f"deb{next(_numbers)}"
    made.mkdir()
    return made


def build(tree: Path, *arguments: str, **variables: str) -> Path:
    """Build the package of a tree; return its path."""
    dist = scratch()
    done = subprocess.run(
        [tree / "setup", "deb", *arguments],
        env={"PATH": "/usr/bin:/bin", "DIST": str(dist), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = dist.glob("*.deb")
    assert done.stdout == f"{package}\n"
    return package


def copy() -> Path:
    """A copy of this tree, to change."""
    tree = scratch() / "tree"
    subprocess.run([world.ROOT / "build-aux/copy.sh", tree], check=True)
    return tree


@pytest.fixture(scope="session")
def package() -> Path:
    """This tree's package, for this Debian."""
    return build(world.ROOT)


@pytest.fixture(scope="session")
def next_package() -> Path:
    """A later version, none of whose files works with the files of this version."""
    tree = copy()
    changed = 0
    for source in tree.glob("pam_pykeyinit/*.py"):
        text, count = re.subn(r"\bmust_revoke\b", "must_be_revoked", source.read_text())
        source.write_text(text)
        changed += bool(count)
    assert changed > 1
    about = tree / "pam_pykeyinit/__init__.py"
    about.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0.0"', about.read_text()))
    notes = tree / "CHANGELOG.md"
    old = notes.read_text().replace("(not released)", "(2020-01-01)")
    heading = "## 99.0.0 (not released)\n\n- Other names.\n\n## "
    notes.write_text(old.replace("## ", heading, 1))
    return build(tree)


def bootstrap(packages: str) -> Path:
    """Create a system of this machine's Debian release."""
    root = scratch() / "root"
    options = ("--quiet", "--mode=root", "--variant=apt", "--dpkgopt=force-unsafe-io")
    old = '--aptopt=Acquire::Check-Valid-Until "false"'  # as a mirror of sid may be
    subprocess.run(
        ["/usr/bin/mmdebstrap", *options, old, f"--include={packages}", suite(), root], check=True
    )
    return root


@pytest.fixture(scope="session")
def bare() -> Path:
    """A system with the dependencies of the package, to be copied."""
    return bootstrap(INSTALLED + ",libpython" + native_version())


def native_version() -> str:
    """The version of this machine's Python, as in the names of Debian's packages."""
    return str(native.VERSION)


@pytest.fixture
def pam_d(tmp_path: Path) -> Iterator[Path]:
    """/etc/pam.d and /var/lib of this test only."""
    with pam_folder.private(tmp_path) as folder:
        yield folder


@pytest.fixture
def system(bare: Path, pamdrive: Path) -> Iterator[System]:
    """A system to install packages in."""
    root = scratch() / "root"
    subprocess.run(["/bin/cp", "-a", bare, root], check=True)
    made = System(root, pamdrive)
    yield made
    made.stop()
    shutil.rmtree(root)
