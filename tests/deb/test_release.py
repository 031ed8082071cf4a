"""build-aux/release.sh: complete, with correct checksums, and reproducible."""

import subprocess
from pathlib import Path

import pytest

from .conftest import copy, scratch

pytestmark = pytest.mark.privileged
GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@test.invalid")


def release(tree: Path, dist: Path) -> "subprocess.CompletedProcess[str]":
    """Make the release of a tree."""
    return subprocess.run(
        [tree / "build-aux/release.sh"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "DIST": str(dist)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def dated() -> Path:
    """A copy of this tree, dated on its day of release."""
    tree = copy()
    notes = tree / "CHANGELOG.md"
    notes.write_text(notes.read_text().replace("(not released)", "(2026-11-20)", 1))
    for words in ("init -q", "add .", "commit -q -m all"):
        subprocess.run([*GIT, "-C", tree, *words.split()], check=True)
    return tree


def test_all_of_it_twice_the_same(dated: Path) -> None:
    sums = []
    for _ in range(2):
        dist = scratch()
        done = release(dated, dist)
        assert done.returncode == 0, done.stdout + done.stderr
        subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=dist, check=True)
        sums.append((dist / "SHA256SUMS").read_text())
        named = {line.split()[1] for line in sums[-1].splitlines()}
        assert {path.name for path in dist.iterdir()} == named | {"SHA256SUMS"}
        assert len(named) == 5, named
        for end in (".deb", ".deb.spdx.json", ".tar.gz", ".whl", ".rpm"):
            assert [name for name in named if name.endswith(end)], end
    assert sums[0] == sums[1]


def test_what_is_left_of_another_release_does_not_get_in(dated: Path) -> None:
    dist = scratch()
    (dist / "left.deb").touch()
    done = release(dated, dist)
    assert done.returncode == 1
    assert "is not empty" in done.stderr


def test_nothing_comes_of_a_tree_without_the_day(dated: Path) -> None:
    tree, dist = copy(), scratch()
    text = (dated / "CHANGELOG.md").read_text()
    (tree / "CHANGELOG.md").write_text(text.replace("(2026-11-20)", "(not released)", 1))
    done = release(tree, dist)
    assert done.returncode == 1
    assert "put the day of the release" in done.stderr
    assert list(dist.iterdir()) == []
