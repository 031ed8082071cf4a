"""debian/tests, run by autopkgtest(1) in a scratch system; and dpkg-buildpackage(1) in a copy."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import INSTALLED, bootstrap, copy, native_version, suite
from .system import System

pytestmark = pytest.mark.privileged


def test_it_is_built_from_a_copy_of_the_tree_as_it_stands(tmp_path: Path) -> None:
    tree = copy()
    built = subprocess.run(
        ["/usr/bin/dpkg-buildpackage", "--no-sign"],
        cwd=tree,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (changes,) = tree.parent.glob("*.changes")
    # debian/ follows the policy of Debian 12: a later one finds fields of it redundant.
    pedantic = ("--pedantic", "--display-info", "--display-experimental")
    asked = ("--allow-root", *(pedantic if suite() == "bookworm" else ()))
    found = subprocess.run(
        ["/usr/bin/lintian", *asked, str(changes)], capture_output=True, text=True, check=False
    )
    # The package of debug symbols also has the field, and cannot have overrides.
    symbols = "W: libpam-pykeyinit-dbgsym: unknown-field Static-Built-Using\n"
    assert found.stdout in ("", symbols)


def test_debians_own_tests_pass(package: Path, pamdrive: Path) -> None:
    packages = f"{INSTALLED},libpython{native_version()}"
    root = bootstrap(f"{packages},autopkgtest,dpkg-dev,keyutils,login")
    shutil.copytree(copy(), root / "root/tree")
    system = System(root, pamdrive)
    try:
        done = system.run(
            "autopkgtest", system.take(package), "/root/tree", "--", "null", check=False
        )
    finally:
        system.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    for test in ("session", "helper"):
        (verdict,) = (line for line in done.stderr.splitlines() if line.startswith(f"{test} "))
        assert verdict.split() == [test, "PASS"]
