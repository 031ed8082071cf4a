"""./setup deb: the same tree gives the same bytes."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from support import world

from .conftest import build, copy, scratch

pytestmark = pytest.mark.privileged


def _epoch() -> str:
    epoch = world.ROOT / "build-aux/epoch.sh"
    return subprocess.run([epoch], check=True, capture_output=True, text=True).stdout.strip()


def _hash(package: Path) -> str:
    return hashlib.sha256(package.read_bytes()).hexdigest()


def test_built_twice_it_is_the_same(package: Path) -> None:
    elsewhere = {
        "SOURCE_DATE_EPOCH": _epoch(),
        "TZ": "Asia/Tokyo",
        "LANG": "de_DE.UTF-8",
        "HOME": "/nonexistent",
        "CFLAGS": "-g0 -O3",  # the build uses Debian's flags, not the caller's
        "DEB_BUILD_OPTIONS": "parallel=1",
    }
    again = build(copy(), **elsewhere)
    assert again.parent != package.parent
    assert _hash(again) == _hash(package)


def test_what_is_not_of_the_tree_does_not_get_in(package: Path) -> None:
    tree = copy()
    (tree / "build").mkdir()
    (tree / "build/left.py").touch()
    (tree / "pam_pykeyinit/__pycache__").mkdir()
    (tree / "pam_pykeyinit/__pycache__/module.cpython-311.pyc").touch()
    assert _hash(build(tree, SOURCE_DATE_EPOCH=_epoch())) == _hash(package)


def test_the_programs_first_line_is_the_trees(package: Path) -> None:
    """dh_python3 rewrites the first line of a Python program, without its options."""
    laid = scratch()
    subprocess.run(["/usr/bin/dpkg-deb", "--extract", package, laid], check=True)
    first = (laid / "usr/bin/pykeyinit-helper").read_text().partition("\n")[0]
    assert first == "#!/usr/lib/python3/dist-packages/pykeyinit_helper/interpreter -ISXutf8"
