"""What packagers need from meson.build: their flags, their folders, their Python."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import world

LEVEL = "-D_FORTIFY_SOURCE=3"
FLAGS = "-O2 -Wconversion -Wshadow"


def meson(*words: str | Path, **variables: str) -> str:
    """Run meson, which must succeed; return its output."""
    done = subprocess.run(
        ["/usr/bin/meson", *words],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A folder to set up: it may have what test.sh has compiled, so that this takes less time."""
    folder = Path(world.kept_build().get(world.BUILD, tmp_path / "build"))
    shutil.rmtree(folder / "meson-private", ignore_errors=True)
    (folder / "options").unlink(missing_ok=True)  # install.sh sets it up again
    return folder


def commands(build: Path) -> list[list[str]]:
    """The compiler commands for the files of the loader."""
    entries = json.loads((build / "compile_commands.json").read_text())
    loader = [entry["command"].split() for entry in entries if "/loader/" in entry["file"]]
    assert loader
    return loader


def laid(build: Path, root: Path) -> set[str]:
    """The installed files below a folder, without the modules of Python."""
    meson("install", "-C", build, "--quiet", DESTDIR=str(root))
    files = (path for path in root.rglob("*") if path.is_file())
    return {f"/{path.relative_to(root)}" for path in files if "-packages" not in str(path)}


@pytest.mark.parametrize(
    "variables",
    [
        {"CFLAGS": f"{FLAGS} {LEVEL}"},
        {"CFLAGS": f"{FLAGS} -Wp,-U_FORTIFY_SOURCE -Wp,{LEVEL}"},
        {"CFLAGS": FLAGS, "CPPFLAGS": LEVEL},
    ],
    ids=["Arch", "Fedora", "Debian"],
)
def test_flags_of_the_distribution_are_kept(variables: dict[str, str], tmp_path: Path) -> None:
    build = tmp_path / "build"
    meson("setup", build, world.ROOT, **variables)
    for command in commands(build):
        words = [word.removeprefix("-Wp,") for word in command if "FORTIFY_SOURCE" in word]
        assert [word for word in words if word != "-U_FORTIFY_SOURCE"] == [LEVEL]
    meson("compile", "-C", build)  # warnings are not errors


def test_without_flags_it_is_hardened_and_has_no_warnings(tmp_path: Path) -> None:
    build = tmp_path / "build"
    meson("setup", "--werror", build, world.ROOT)
    for command in commands(build):
        assert "-D_FORTIFY_SOURCE=2" in command
        assert "-fstack-protector-strong" in command
    meson("compile", "-C", build)


def test_folders_that_are_asked_for(build: Path, tmp_path: Path) -> None:
    options = ("-Dpam_python=false", "-Dconf=false")
    meson("setup", "--prefix=/usr", "--libdir=lib64", *options, build, world.ROOT)
    files = laid(build, tmp_path / "root")
    assert {file for file in files if "security" in file} == {
        "/usr/lib64/security/pam_pykeyinit.so",
        "/usr/lib64/security/pam_pykeyinit_python.so",
    }
    assert "/usr/share/licenses/pam_pykeyinit/LICENSE" in files
    assert [file for file in files if "/examples/" in file] == []
    assert {Path(file).parts[1] for file in files} == {"usr"}


def test_all_of_conf_is_laid_and_the_rest_where_it_is_asked_for(
    build: Path, tmp_path: Path
) -> None:
    options = ("-Dsecuredir=/secure", "-Dsecuritydir=/script", "-Ddocs=false", "-Ddocdir=/docs")
    meson("setup", "--prefix=/usr", *options, build, world.ROOT)
    files = laid(build, tmp_path / "root")
    assert {"/secure/pam_pykeyinit.so", "/script/pam_pykeyinit.py"} <= files
    conf = world.ROOT / "conf"
    ours = {str(path.relative_to(conf)) for path in conf.rglob("*") if path.is_file()}
    theirs = {file.removeprefix("/docs/examples/") for file in files if file.startswith("/docs/")}
    assert theirs == ours - {"meson.build"}
    assert [file for file in files if "LICENSE" in file] == []


@pytest.mark.parametrize("libdir", ["lib64", "lib"])
def test_below_usr_local_the_module_is_where_libpam_looks(
    build: Path, tmp_path: Path, libdir: str
) -> None:
    meson("setup", f"--libdir={libdir}", build, world.ROOT)
    assert f"/usr/{libdir}/security/pam_pykeyinit.so" in laid(build, tmp_path / "root")


def test_the_python_of_a_native_file(build: Path, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.symlink_to("/usr/bin/python3")
    native = tmp_path / "native"
    native.write_text(f"[binaries]\npython3 = '{python}'\n")
    meson("setup", "--native-file", native, build, world.ROOT)
    laid(build, tmp_path / "root")
    (helper,) = (tmp_path / "root").rglob("bin/pykeyinit-helper")
    assert helper.read_text().startswith("#!")
    (interpreter,) = (tmp_path / "root").rglob("pykeyinit_helper/interpreter")
    assert str(python).encode() in interpreter.read_bytes()


def test_the_packagers_page_has_every_option_with_its_default() -> None:
    text = (world.ROOT / "meson_options.txt").read_text()
    defaults = dict(re.findall(r"^option\('(\w+)'.*?value: '?([^',]*)'?[,)]", text, re.M | re.S))
    page = (world.ROOT / "docs/packaging.md").read_text()
    rows = dict(re.findall(r"^\| `-D(\w+)=` \| (.*?) \|", page, re.M))
    assert len(defaults) == text.count("\noption(") + 1
    assert set(rows) == set(defaults)
    assert {name: rows[name] for name, value in defaults.items() if value} == {
        name: f"`{value}`" for name, value in defaults.items() if value
    }


def test_there_is_something_for_meson_test(build: Path) -> None:
    meson("setup", build, world.ROOT)
    assert "unprivileged" in meson("test", "-C", build, "--list")
    done = subprocess.run(
        ["/usr/bin/meson", "test", "-C", build, "--test-args=--collect-only"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    log = (build / "meson-logs/testlog.txt").read_text()
    assert "tests/helper/change/test_place.py" in log
    assert "tests/source/" in log
