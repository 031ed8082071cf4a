"""./setup install and uninstall: the installed files, and that exactly these are removed."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from support import world
from support.drive import Driver

SECURITY = {"/usr/local": "lib/security", "/usr": "lib/security", "/opt/x": "opt/x/lib/security"}


def call(
    command: str, *, tree: Path = world.ROOT, **variables: "str | Path"
) -> "subprocess.CompletedProcess[str]":
    """Run ./setup install or uninstall with these variables, from a folder outside the tree.

    The umask is a careful administrator's.
    """
    cwd = variables.pop("cwd", "/")
    kept = world.kept_build() if tree == world.ROOT else {}
    given = {name: str(value) for name, value in variables.items()}
    return subprocess.run(
        [tree / "setup", command],
        env={"PATH": "/usr/bin:/bin", **kept, **given},
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        umask=0o077,
    )


def install(root: Path, prefix: str = "/usr/local", tree: Path = world.ROOT) -> None:
    """Install; it must succeed."""
    done = call("install", tree=tree, DESTDIR=root, PREFIX=prefix)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def package(root: Path) -> Path:
    """The package's folder, wherever the prefix puts it."""
    (found,) = root.glob("**/*-packages/pam_pykeyinit")
    return found


def files(root: Path) -> list[str]:
    """Everything below a folder except folders."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation for tests that only read it."""
    root = tmp_path_factory.mktemp("installed") / "root"
    install(root)
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources to change, in a folder with a space in its name."""
    return world.copy_of_sources(tmp_path / "the sources")


@pytest.mark.parametrize("prefix", sorted(SECURITY))
def test_prefix(tmp_path: Path, prefix: str) -> None:
    install(tmp_path, prefix)
    base = tmp_path / prefix.lstrip("/")
    assert (base / "share/man/man8/pam_pykeyinit.8").is_file()
    assert (package(tmp_path) / "module.py").is_file()
    assert package(tmp_path).is_relative_to(base)
    assert (tmp_path / SECURITY[prefix] / "pam_pykeyinit.py").is_file()
    assert call("uninstall", DESTDIR=tmp_path, PREFIX=prefix).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_modes_and_owners_do_not_depend_on_the_umask(installed: Path) -> None:
    conf = world.ROOT / "conf"  # scripts to run, for example
    programs = {
        path.name for path in conf.rglob("*") if path.is_file() and os.access(path, os.X_OK)
    }
    for path in [installed, *installed.rglob("*")]:
        found = path.lstat()
        program = path.name == "interpreter" or path.parent.name == "bin"
        program = program or ("examples" in path.parts and path.name in programs)
        executable = path.is_dir() or program
        assert stat.S_IMODE(found.st_mode) == (0o755 if executable else 0o644), path
        assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid()), path


@pytest.mark.privileged
def test_files_are_roots_in_a_folder_that_gives_its_group_away(tmp_path: Path) -> None:
    local = tmp_path / "usr/local"
    local.mkdir(parents=True)
    os.chown(local, 0, 50)
    local.chmod(0o2775)  # Debian creates /usr/local like this, for its group staff
    install(tmp_path)
    assert {path.stat().st_gid for path in local.rglob("*")} == {0}


def test_python_uses_the_bytecode(installed: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(package(installed).parent)!r})\n"
    reported = subprocess.run(
        ["/usr/bin/python3", "-I", "-B", "-v", "-c", code + "import pam_pykeyinit.module"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    files = list(package(installed).rglob("*.py"))
    for file in files:
        module = ".".join(file.relative_to(package(installed).parent).with_suffix("").parts)
        if f"import '{module}'" in reported:
            assert f"{file.stem}.cpython" in reported
            assert f"matches {file}" in reported
    assert f"matches {package(installed)}/module.py" in reported
    assert "bytecode is stale" not in reported
    compiled = [path.name.split(".")[0] for path in package(installed).rglob("*.pyc")]
    assert sorted(compiled) == sorted(file.stem for file in files)


def test_tracebacks_name_the_installed_files(installed: Path) -> None:
    for path in package(installed).glob("__pycache__/*.pyc"):
        text = path.read_bytes()
        assert str(installed).encode() not in text
        assert b"/usr/local/lib" in text


@pytest.mark.privileged
def test_a_prefix_of_its_own_uses_its_own_package(opt: Path) -> None:
    """Besides the one in /usr/local, which this world has."""
    install(Path("/"), str(opt))
    code = f"""import runpy; runpy.run_path("{opt}/lib/security/pam_pykeyinit.py")
import pam_pykeyinit; print(pam_pykeyinit.__file__)"""
    reported = subprocess.check_output(["/usr/bin/python3", "-I", "-c", code], text=True)
    assert reported.startswith(str(opt))


@pytest.mark.privileged
def test_the_line_that_install_prints_works(driver: Driver, opt: Path) -> None:
    done = call("install", PREFIX=opt)
    (line,) = (text.strip() for text in done.stdout.splitlines() if " pam_python.so" in text)
    assert line.startswith("session optional pam_python.so /")
    services = driver.services(s=line.replace("optional", "required"))
    outcome = driver.run(services, "start 0 s alice\nopen 0\nclose 0\nend 0\n")
    assert outcome.codes() == [0, 0]
    assert outcome.steps[1].fields[1] == world.uid("alice")
    assert outcome.steps[2].session == {"error": "EKEYREVOKED"}


def test_twice_and_gone(tmp_path: Path) -> None:
    install(tmp_path)
    once = files(tmp_path)
    install(tmp_path)
    assert files(tmp_path) == once
    assert call("uninstall", DESTDIR=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_what_an_older_version_laid_is_removed(tmp_path: Path, tree: Path) -> None:
    recipe = tree / "pam_pykeyinit/meson.build"
    recipe.write_text(recipe.read_text().replace("'codes.py',", "'codes.py', 'gone.py',"))
    (tree / "pam_pykeyinit/gone.py").touch()
    install(tmp_path / "root", tree=tree)
    assert (package(tmp_path / "root") / "gone.py").exists()
    install(tmp_path / "root")
    assert [name for name in files(tmp_path / "root") if "gone" in name] == []
    assert call("uninstall", DESTDIR=tmp_path / "root").returncode == 0
    assert files(tmp_path / "root") == []


def test_an_update_changes_every_file_by_renaming(tmp_path: Path) -> None:
    install(tmp_path)
    entry = tmp_path / "lib/security/pam_pykeyinit.py"
    with entry.open() as read_by_a_login:
        install(tmp_path)
        assert os.fstat(read_by_a_login.fileno()).st_nlink == 0
        assert read_by_a_login.read() == entry.read_text()


def test_files_of_others_survive(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    install(tmp_path)
    theirs = package(tmp_path) / "theirs.py"
    theirs.touch()
    done = call("uninstall", DESTDIR=tmp_path)
    assert done.returncode == 0
    assert f"not empty: {theirs.parent}" in done.stdout
    assert files(tmp_path) == [str(theirs.relative_to(tmp_path))]
    theirs.unlink()
    assert (tmp_path / "usr").is_dir()  # it existed before


def test_a_file_that_is_not_ours_is_not_replaced(tmp_path: Path) -> None:
    install(tmp_path, "/usr")
    before = files(tmp_path)
    done = call("install", DESTDIR=tmp_path, PREFIX="/usr/local")
    assert done.returncode == 1
    assert f"  {tmp_path}/lib/security/pam_pykeyinit.py\n" in done.stderr
    assert "uninstall it first" in done.stderr
    assert files(tmp_path) == before


def test_uninstall_without_install(tmp_path: Path) -> None:
    done = call("uninstall", DESTDIR=tmp_path, PREFIX="/opt/x")
    assert done.returncode == 1
    assert f"nothing of ours in {tmp_path}/opt/x" in done.stderr


def test_a_failed_build_lays_nothing(tmp_path: Path, tree: Path) -> None:
    (tree / "meson.build").open("a").write("error('on purpose')\n")
    done = call("install", tree=tree, DESTDIR=tmp_path / "root")
    assert done.returncode == 1
    assert "on purpose" in done.stderr
    assert "nothing was laid" in done.stderr
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("prefix", ["usr/local", "./x", "/"])
def test_a_prefix_that_is_no_place_is_refused(tmp_path: Path, prefix: str) -> None:
    for command in ("install", "uninstall"):
        done = call(command, DESTDIR=tmp_path, PREFIX=prefix)
        assert done.returncode == 1
        assert f"absolute path such as /usr/local, not '{prefix}'" in done.stderr
    assert files(tmp_path) == []


def test_spaces_and_a_relative_destdir(tmp_path: Path, tree: Path) -> None:
    for command in ("install", "uninstall"):
        done = call(command, tree=tree, cwd=tmp_path, DESTDIR="a root", PREFIX="/opt/a b")
        assert done.returncode == 0, done.stderr
        laid = tmp_path / "a root/opt/a b/lib/security/pam_pykeyinit.py"
        assert laid.exists() == (command == "install")
    assert list((tmp_path / "a root").iterdir()) == []


def test_the_sources_stay_as_they_are(tmp_path: Path, tree: Path) -> None:
    before = files(tree)
    install(tmp_path / "root", tree=tree)
    assert files(tree) == before


@pytest.mark.privileged
def test_a_folder_that_is_not_roots_alone_is_named() -> None:
    """Our loader refuses to run files from there, so `install` must say so."""
    world_folder = world.folder()
    assert world_folder
    prefix = world_folder / "staffs"
    prefix.mkdir()
    try:
        roots = call("install", PREFIX=prefix)
        os.chown(prefix, 0, 50)
        prefix.chmod(0o2775)
        staffs = call("install", PREFIX=prefix)
        # The world itself is in a folder that all users can write.
        warning = "what is run as root, for these are not root's alone:\n"
        assert f"{warning}/var/tmp\n" in roots.stdout
        assert f"{warning}/var/tmp\n{prefix}\n" in staffs.stdout
        # Below a private prefix, Meson chooses the folder of libraries.
        line = rf"session optional {prefix}/lib\S*/security/pam_pykeyinit\.so"
        assert re.search(line, staffs.stdout)
    finally:
        shutil.rmtree(prefix)
