"""./setup demo: its promises, and that it reports a broken one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support import world

pytestmark = pytest.mark.privileged


def demo(tree: Path) -> "subprocess.CompletedProcess[str]":
    """Run the demo of this tree, in a nested world."""
    return subprocess.run(
        [tree / "setup", "demo"],
        env={"PATH": "/usr/bin:/bin", "TERM": "xterm"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_shows_what_it_promises_in_plain_text_of_80_columns() -> None:
    shown = demo(world.ROOT)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "DIFFERENT" not in shown.stdout
    assert "as promised" in shown.stdout.splitlines()[-1]
    assert "\033" not in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80


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
def test_it_names_what_is_broken(tmp_path: Path, right: str, wrong: str, broken: str) -> None:
    ignored = shutil.ignore_patterns(".git", "__pycache__", "build", "dist", ".hypothesis")
    tree = Path(shutil.copytree(world.ROOT, tmp_path / "tree", ignore=ignored))
    changed = 0
    for source in (tree / "pam_pykeyinit").rglob("*.py"):
        text = source.read_text()
        changed += text.count(right)
        source.write_text(text.replace(right, wrong))
    assert changed == 1, right
    shown = demo(tree)
    assert shown.returncode == 1
    assert "not as promised" in shown.stdout.splitlines()[-1]
    lines = shown.stdout.splitlines()
    assert any(line.startswith("BROKEN") and broken in line for line in lines)
