"""The wheel: the package alone, for PAM's folder and the manual are not Python's to fill."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from support import world

BUILD = "import mesonpy, sys; print(mesonpy.build_wheel(sys.argv[1]))"


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("mesonpy", reason="needs python3-mesonpy")
    ignored = shutil.ignore_patterns(".git", "__pycache__", "build", "dist", ".hypothesis")
    tree = Path(shutil.copytree(world.ROOT, tmp_path / "tree", ignore=ignored))
    (tree / "README.md").touch()
    # What `pip wheel .` calls, without the network that it would use to get meson-python.
    subprocess.run(
        ["/usr/bin/python3", "-c", BUILD, tmp_path], cwd=tree, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    version = re.search(r'__version__ = "(.*)"', (tree / "pam_pykeyinit/__init__.py").read_text())
    assert version
    assert wheel.name == f"pam_pykeyinit-{version[1]}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    sources = {f"pam_pykeyinit/{path.name}" for path in tree.glob("pam_pykeyinit/*.py")}
    sources.add("pam_pykeyinit/py.typed")
    helper = tree / "helper"
    for path in (*helper.glob("pykeyinit_helper/*.py"), helper / "pykeyinit_helper/py.typed"):
        sources.add(str(path.relative_to(helper)))
    assert {name for name in names if ".dist-info/" not in name} == sources
