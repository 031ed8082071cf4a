"""What the loader runs, and what it leaves alone: by owners, modes and links."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import mounts, native, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

STACK = "session required pam_pykeyinit.so force"
SUCCESS, SESSION_ERR = 0, 14

Change = Callable[[Path], None]
Open = Callable[[Change], tuple[list[int], list[str]]]


@pytest.fixture
def roots() -> Iterator[Path]:
    """A folder that nobody but root could have changed, nor one above it; as /tmp is not."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        yield Path(folder)


@pytest.fixture
def try_with(pamdrive: Path, tmp_path: Path, roots: Path, journal: Journal) -> Open:
    """Open a session where the package's parent folder is a changed copy."""

    def run(change: Change) -> tuple[list[int], list[str]]:
        parent = roots / "packages"
        native.copy(parent / "pam_pykeyinit")
        change(parent)
        shown = {str(native.package().parent): parent}
        driver = Driver(mounts.wrapper(tmp_path / "drive", shown, str(pamdrive)), tmp_path)
        codes = driver.run(driver.services(s=STACK), "start 0 s alice\nopen 0\nend 0\n").codes()
        return codes, [line.text for line in journal.ours() + journal.read()]

    return run


def _nothing(parent: Path) -> None:
    pass


def _roots_group_may_write(parent: Path) -> None:
    for path in (parent, parent / "pam_pykeyinit", parent / "pam_pykeyinit/module.py"):
        path.chmod(0o775)


def _linked(name: str) -> Change:
    """A file or a folder of the package is a link to what is root's alone."""

    def change(parent: Path) -> None:
        path = parent / "pam_pykeyinit" / name
        path.rename(parent.parent / "moved")
        path.symlink_to(parent.parent / "moved")

    return change


@pytest.mark.parametrize(
    "change", [_nothing, _roots_group_may_write, _linked("module.py"), _linked("")]
)
def test_what_root_alone_can_change_is_run(change: Change, try_with: Open) -> None:
    assert try_with(change) == ([SUCCESS], [])


def _file_of(change: Change) -> Change:
    """The first file that is looked at; folders that come after it are as they should be."""

    def of_first(parent: Path) -> None:
        package = parent / "pam_pykeyinit"
        for number in range(16):
            (package / f"folder{number}").mkdir()
            (package / f"file{number}").touch()
        entries = list(os.scandir(package))
        while entries[-1].is_file():
            entries.pop()
        change(next(Path(entry.path) for entry in entries if entry.is_file()))

    return of_first


def _below(change: Change) -> Change:
    def of_one_more(parent: Path) -> None:
        folder = parent / "pam_pykeyinit/below/further"
        folder.mkdir(parents=True)
        (folder / "file").touch()
        change(folder / "file")

    return of_one_more


def _given(path: Path) -> None:
    os.chown(path, world.uid("alice"), 0)


def _open_to_a_group(path: Path) -> None:
    os.chown(path, 0, world.gid("alice"))
    path.chmod(0o664)


def _open_to_all(path: Path) -> None:
    path.chmod(0o646)


def _a_link_that_another_may_turn(parent: Path) -> None:
    """What it leads to is root's alone."""
    _linked("")(parent)
    parent.chmod(0o757)


def _a_link_to_where_others_write(parent: Path) -> None:
    elsewhere = parent.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.move(parent / "pam_pykeyinit", elsewhere)
    (parent / "pam_pykeyinit").symlink_to(elsewhere / "pam_pykeyinit")
    elsewhere.chmod(0o757)


@pytest.mark.parametrize(
    "change",
    [
        *(wrap(bad) for wrap in (_file_of, _below) for bad in (_given, _open_to_a_group)),
        *(wrap(_open_to_all) for wrap in (_file_of, _below)),
        _a_link_that_another_may_turn,
        _a_link_to_where_others_write,
    ],
)
def test_what_another_can_change_is_not_run(change: Change, try_with: Open) -> None:
    codes, (line,) = try_with(change)
    assert codes == [SESSION_ERR]
    assert "not run: " in line
    assert line.endswith(" or a folder above it is not root's alone")


@pytest.mark.parametrize("change", [_nothing, _file_of(_given)])
def test_nothing_of_the_process_or_the_folder_changes(
    change: Change, pamdrive: Path, tmp_path: Path, roots: Path
) -> None:
    """Descriptors and signals, locale and ids; and no bytecode is written.

    Whether our code is run or refused, and refused again with each session.
    """
    native.copy(roots / "packages/pam_pykeyinit")
    change(roots / "packages")
    shown = {str(native.package().parent): roots / "packages"}
    driver = Driver(mounts.wrapper(tmp_path / "drive", shown, str(pamdrive)), tmp_path)
    sessions = "".join(f"start {n} s alice\nopen {n}\nend {n}\n" for n in range(3))
    found = driver.run(driver.services(s=STACK), f"hygiene\n{sessions}hygiene\n").hygiene
    before, after = ([line for line in each if not line.startswith("SigQ")] for each in found)
    assert after == before
    assert not (roots / "packages/pam_pykeyinit/__pycache__").exists()
