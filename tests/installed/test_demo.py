"""./setup demo: its promises, and that it reports a broken one."""

import subprocess
from pathlib import Path

import pytest

from support import world

pytestmark = pytest.mark.privileged


def demo(tree: Path, build: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the demo of this tree, in a nested world, with a build that is kept."""
    return subprocess.run(
        [tree / "setup", "demo"],
        env={"PATH": "/usr/bin:/bin", "TERM": "xterm", **build},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_shows_what_it_promises_in_plain_text_of_80_columns() -> None:
    shown = demo(world.ROOT, world.kept_build())
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "DIFFERENT" not in shown.stdout
    assert "as promised" in shown.stdout.splitlines()[-1]
    assert "\033" not in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources to change."""
    return world.copy_of_sources(tmp_path_factory.mktemp("demo") / "tree")


@pytest.mark.parametrize(
    ("right", "wrong", "broken"),
    [
        ("_REVOKE = 3\n_LINK = 8\n", "_REVOKE = 3\n_LINK = 9\n", "links in it: 0, not 1"),
        (
            "_end(act, keyring, user, hold)\n",
            "pass\n",
            "@s after close: 'still alive'",
        ),
        (
            "identity.with_real_ids(user.uid, user.gid, join)",
            "identity.with_real_ids(0, 0, join)",
            "owner: (0, ",
        ),
        ("asked.force, say)", "False, say)", "a new session keyring: False"),
    ],
)
@pytest.mark.xdist_group("demo")  # one worker builds the copy
def test_it_names_what_is_broken(tree: Path, right: str, wrong: str, broken: str) -> None:
    texts = {path: path.read_text() for path in (tree / "pam_pykeyinit").rglob("*.py")}
    (source,) = (path for path, text in texts.items() if right in text)
    assert texts[source].count(right) == 1
    source.write_text(texts[source].replace(right, wrong))
    try:
        shown = demo(tree, {world.BUILD: str(tree.with_name("build"))})
    finally:
        source.write_text(texts[source])
    assert shown.returncode == 1
    assert "not as promised" in shown.stdout.splitlines()[-1]
    lines = shown.stdout.splitlines()
    assert any(line.startswith("BROKEN") and broken in line for line in lines)
