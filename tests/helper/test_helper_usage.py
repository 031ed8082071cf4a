"""The command line: help, version, and an output that is closed or full."""

import re

import pytest

from helper.conftest import HELPER, Stage

pytestmark = pytest.mark.privileged


def test_help_and_version(stage: Stage) -> None:
    for words in (
        ["--help"],
        *([name, "--help"] for name in "run show explain adopt try".split()),
    ):
        started = stage.start("none", HELPER, *words)
        assert (started.code, started.errors) == (0, "")
        assert "usage: pykeyinit-helper" in started.output
    assert re.fullmatch(
        r"pykeyinit-helper \d+\.\d+\.\d+\n", stage.start("none", HELPER, "--version").output
    )
    for words in ([], ["nonsense"], ["show", "--nonsense"], ["--nonsense"]):
        started = stage.start("none", HELPER, *words)
        assert (started.code, started.errors.count("\n")) == (125, 1)


def test_a_pipe_that_is_closed_early(stage: Stage) -> None:
    script = f"{HELPER} show | head -n 1"
    started = stage.start("none", "sh", "-c", script)
    assert (started.code, started.errors) == (0, "")
    full = stage.start("none", "sh", "-c", f"{HELPER} show >/dev/full")
    assert (full.code, full.errors.count("\n")) == (125, 1)
    closed = stage.start("none", "sh", "-c", f"{HELPER} show >&-")
    assert (closed.code, closed.errors.count("\n")) == (125, 1)
