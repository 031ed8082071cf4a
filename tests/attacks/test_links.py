"""Planted files and links where root reads code, and where install writes.

Logins open none of them: tests/loader/test_isolation.py.
"""

import subprocess
from pathlib import Path

import pytest

from support import world

pytestmark = pytest.mark.privileged

SUCCESS, SESSION_ERR = 0, 14


def _tree(folder: Path, *, careless: bool) -> Path:
    """Our sources, unchanged or with an install that follows links."""
    files = ("build-aux", "conf", "helper", "pam_pykeyinit", "tests/driver", "docs")
    tree = folder / "tree"
    tree.mkdir()
    for name in files:
        (tree / name).parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", world.ROOT / name, tree / name], check=True)
    for path in world.ROOT.iterdir():
        if path.is_file():
            subprocess.run(["cp", "-a", path, tree], check=True)
    if careless:
        script = tree / "build-aux/lay.py"
        text = script.read_text()
        for defence, instead in (("new.unlink()", "pass"), (" | os.O_EXCL", "")):
            assert text.count(defence) == 1
            text = text.replace(defence, instead)
        script.write_text(text)
    return tree


@pytest.mark.parametrize("careless", [False, True])
def test_install_writes_through_no_link(careless: bool, tmp_path: Path) -> None:
    """Links to files of root, under the names that install writes to, in folders where others can
    plant them.  The control writes to what it finds, as cp does.
    """
    world_folder = world.folder()
    assert world_folder
    installed = world_folder / "stage"
    stage = tmp_path / "stage"
    victims = [tmp_path / "linked", tmp_path / "named"]
    for victim in victims:
        victim.write_text("as it was")
    files = [path for path in installed.rglob("*") if path.is_file()]
    # On sid world.sh adds keyutils.
    laid = [stage / path.relative_to(installed) for path in files if "keyutils" not in path.parts]
    for number, path in enumerate(laid):
        path.parent.mkdir(parents=True, exist_ok=True)
        planted = path.with_name(path.name + ".new")
        planted.symlink_to(victims[0]) if number % 2 else planted.hardlink_to(victims[1])

    subprocess.run(
        [_tree(tmp_path, careless=careless) / "build-aux/install.sh"],
        # What is built is the same; how it is laid is tested.
        env={
            "PATH": "/usr/bin:/bin",
            "DESTDIR": str(stage),
            "PREFIX": "/usr/local",
            **world.kept_build(),
        },
        capture_output=True,
        check=True,
    )

    kept = [victim.read_bytes() == b"as it was" for victim in victims]
    assert kept == [not careless] * 2
    assert all(path.exists() for path in laid)
    if not careless:
        assert victims[1].stat().st_nlink == 1
        assert not list(stage.rglob("*.new"))
        assert not any(path.is_symlink() for path in laid)
