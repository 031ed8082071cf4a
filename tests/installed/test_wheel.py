"""The wheel: only the packages, because Python does not install to PAM's folder and the manual."""

import email
import os
import re
import subprocess
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from support import world

BUILD = "import mesonpy, sys; print(mesonpy.build_wheel(sys.argv[1]))"
PYTHONS = ["/usr/bin/python3", *filter(None, os.environ.get("OTHER_PYTHONS", "").split(":"))]
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "PYTHONDONTWRITEBYTECODE": "1",
    "CCACHE_DISABLE": "1",  # Meson uses it if it is installed, and it makes its home
}


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command, without the environment variables of this one."""
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel") / "tree"
    subprocess.run([world.ROOT / "build-aux/copy.sh", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    """The result of `pip wheel .`, without the network that it would use to get meson-python."""
    pytest.importorskip("mesonpy", reason="needs python3-mesonpy")
    command = ["/usr/bin/python3", "-c", BUILD, str(tree.parent)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    (made,) = tree.parent.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The metadata of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_the_wheel_holds_the_package_and_nothing_else(tree: Path, wheel: Path) -> None:
    version = re.search(r'__version__ = "(.*)"', (tree / "pam_pykeyinit/__init__.py").read_text())
    assert version
    assert wheel.name == f"pam_pykeyinit-{version[1]}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    sources = {
        str(path.relative_to(folder))
        for folder in (tree, tree / "helper")
        for package in ("pam_pykeyinit", "pykeyinit_helper")
        for path in folder.glob(f"{package}/**/*")
        if (path.suffix == ".py" and path.parent.name != "loader") or path.name == "py.typed"
    }
    assert {name for name in names if ".dist-info/" not in name} == sources


def test_the_licence_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/LICENSE"))
        assert archive.read(name) == (world.ROOT / "LICENSE").read_bytes()


def test_what_the_wheel_says_of_itself(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist", [])
    assert [line for line in required if "extra" not in line] == []
    assert {re.split(r"\W(?!pam)", line)[0] for line in required} == {
        "keyutils",
        "pamela",
        "python-pam",
    }
    assert metadata["Author"] == "The pam_pykeyinit authors"
    classifiers = metadata.get_all("Classifier", [])
    assert "Typing :: Typed" in classifiers
    assert "Programming Language :: Python :: 3.14" in classifiers
    text = str(metadata.get_payload())
    assert text.startswith("# pam_pykeyinit, from PyPI")
    assert "## What it does not contain" in text


def test_twine_finds_nothing(wheel: Path) -> None:
    pytest.importorskip("twine", reason="needs twine")
    checked = run("/usr/bin/twine", "check", "--strict", wheel)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("python", PYTHONS)
def test_pip_installs_it_in_a_clean_environment(wheel: Path, tmp_path: Path, python: str) -> None:
    """Without the network: so nothing needs to be downloaded or built."""
    venv = tmp_path / "venv"
    made = run(python, "-m", "venv", venv)
    assert made.returncode == 0, made.stdout + made.stderr
    pip = run(venv / "bin/pip", "install", "--no-index", wheel)
    assert pip.returncode == 0, pip.stdout + pip.stderr

    helper = venv / "bin/pykeyinit-helper"
    code = "from pykeyinit_helper.api import ensure_session_keyring as e; print(e().outcome)"
    assert run(venv / "bin/python", "-I", "-c", code).stdout in ("kept\n", "new\n")
    assert run(helper, "run", "--", "/bin/echo", "started").stdout == "started\n"
    services = tmp_path / "etc/pam.d"
    services.mkdir(parents=True)
    (services / "login").write_text("session optional pam_unix.so\n")
    checked = run(helper, "check", "--root", tmp_path)
    assert checked.stdout.endswith("nothing to mend\n"), checked.stderr

    for words in (["show"], ["explain", "user:x"], ["try", "login", "root"]):
        lacking = run(helper, *words)
        assert lacking.returncode == 125
        assert "No module named 'keyutils'" in lacking.stderr
        assert "pip install 'pam_pykeyinit[inspect]'" in lacking.stderr
        assert "Traceback" not in lacking.stderr
