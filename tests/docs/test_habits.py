"""The settings of editors, commits and workflows match the tree."""

import re
import subprocess

import pytest

from support import world

LINT = (world.ROOT / "build-aux/lint.sh").read_text()
COMMIT = (world.ROOT / ".pre-commit-config.yaml").read_text()
WORKFLOWS = sorted((world.ROOT / ".github/workflows").glob("*.yml"))


def test_commits_are_looked_at_by_the_same_versions() -> None:
    wanted = set(re.findall(r"[a-z]+==[\d.]+", LINT))
    assert {version.split("==")[0] for version in wanted} >= {"ruff", "mypy", "codespell"}
    assert set(re.findall(r"[a-z]+==[\d.]+", COMMIT)) == wanted


def test_workflows_call_what_there_is() -> None:
    help_text = subprocess.run(
        [world.ROOT / "setup", "help"], check=True, capture_output=True, text=True
    ).stdout
    called = set()
    for workflow in WORKFLOWS:
        for script, word in re.findall(r"run: (\S*/\S+)(?: (\S+))?$", workflow.read_text(), re.M):
            assert (world.ROOT / script).is_file(), script
            if script == "./setup":
                assert re.search(rf"^  (?:\w+, )*{word}\b", help_text, re.M), word
                called.add(word)
    assert {"lint", "test", "deb"} <= called


def _text_files() -> list[str]:
    if not (world.ROOT / ".git").exists():
        pytest.skip("the tree is in no git repository, which says what is of it")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", world.ROOT, "ls-files"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [
        name
        for name in listed.splitlines()
        if (world.ROOT / name).is_file() and not _is_as_it_came(name)
    ]


def _is_as_it_came(name: str) -> bool:
    """Whether .editorconfig excludes it: third-party files, and patches to them."""
    return name.endswith(".diff") or name.startswith(
        ("tests/helper/stacks/distributions/", "tests/fuzz/corpus/")
    )


def test_every_file_is_as_editors_are_told() -> None:
    wrong = []
    for name in _text_files():
        content = (world.ROOT / name).read_bytes()
        content.decode()
        bad = b"\r" in content or re.search(rb"[ \t]$", content, re.M)
        if bad or not content.endswith(b"\n") and content:
            wrong.append(name)
    assert wrong == []
