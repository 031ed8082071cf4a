"""./setup dist: the sdist has the files of the tree, and its wheel works alone."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from support import world

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/proc/none",
    "PYTHONDONTWRITEBYTECODE": "1",
    "CCACHE_DISABLE": "1",  # Meson uses it if it is installed, and it wants a home
}


def run(*command: str | Path, cwd: Path = Path("/"), **variables: str) -> str:
    """Run a command, which must succeed; return its output."""
    done = subprocess.run(
        command,
        env={**ENVIRONMENT, **variables},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, except bytecode, which contains timestamps."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of ./setup dist for a copy of this tree, which is then deleted."""
    pytest.importorskip("mesonpy", reason="needs python3-mesonpy")
    scratch = tmp_path_factory.mktemp("dist")
    tree = scratch / "tree"
    run(world.ROOT / "build-aux/copy.sh", tree)
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@test.invalid", "-C", str(tree))
    for words in ("init -q", "add .", "commit -q -m all"):
        run(*git, *words.split())
    (tree / "not-committed").touch()
    reported = run(tree / "setup", "dist", DIST=str(scratch / "dist"))
    shutil.rmtree(tree)
    made = sorted(str(path) for path in (scratch / "dist").iterdir())
    assert sorted(reported.split()) == made
    assert len(made) == 2
    return scratch / "dist"


@pytest.fixture(scope="module")
def unpacked(dist: Path) -> Path:
    """The sdist, unpacked."""
    (sdist,) = dist.glob("*.tar.gz")
    folder = dist / "unpacked"
    folder.mkdir()
    run("tar", "-x", "-f", sdist, "-C", folder, "--strip-components", "1")
    return folder


def test_the_sdist_has_what_the_tree_has(unpacked: Path, tmp_path: Path) -> None:
    run(world.ROOT / "build-aux/copy.sh", tmp_path / "tree")
    ours = files(tmp_path / "tree")
    theirs = files(unpacked)
    assert set(theirs) - set(ours) == {"PKG-INFO"}
    assert {name: theirs.get(name) for name in ours} == ours
    assert os.access(unpacked / "setup", os.X_OK)


@pytest.mark.privileged
def test_the_sdist_installs_the_same(unpacked: Path, tmp_path: Path) -> None:
    stage = world.folder()
    assert stage
    run(unpacked / "setup", "install", DESTDIR=str(tmp_path), PREFIX="/usr/local")
    installed = files(tmp_path)
    assert len(installed) > 30
    # The loader and the interpreter contain their build path.
    assert [
        name
        for name, content in files(stage / "stage").items()
        if installed.get(name) != content
        and not name.endswith((".so", "/interpreter"))
        and "/keyutils/" not in name  # not installed, but added to the world
    ] == []


@pytest.mark.privileged
def test_the_wheel_works_without_the_sources(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    venv = tmp_path / "venv"
    # The system's packages, for keyutils, which pip cannot build.
    run("/usr/bin/python3", "-m", "venv", "--system-site-packages", venv)
    run(venv / "bin/pip", "install", "-q", "--no-index", "--no-deps", wheel)

    code = """import pam_pykeyinit.module, pykeyinit_helper.api
print(pam_pykeyinit.module.__file__, pykeyinit_helper.api.__file__)"""
    for path in run(venv / "bin/python", "-I", "-c", code).split():
        assert path.startswith(str(venv))
    helper = venv / "bin/pykeyinit-helper"
    (version,) = {name.split("-")[1] for name in zipfile.ZipFile(wheel).namelist() if "-" in name}
    assert version.removesuffix(".dist") in run(helper, "--version")
    assert "session keyring" in run(helper, "show")
    assert "keyring: _uid" in run(helper, "run", "--session", "new", "--", "keyctl", "show", "@s")
