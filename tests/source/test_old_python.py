"""Python 3.9 of Debian 11: the module and `run` work with it, the other commands refuse it.

A machine of ./setup vm --matrix runs them with it; these tests need no machine.
"""

import ast
import sys
from pathlib import Path

import pytest

import pam_pykeyinit
import pykeyinit_helper
from pykeyinit_helper.cli import commands

OLDEST = (3, 9)
HELPER = Path(pykeyinit_helper.__file__).parent
OF_RUN = ("cli/main", "cli/words", "cli/usage", "run/*")
FILES = [
    *Path(pam_pykeyinit.__file__).parent.rglob("*.py"),
    *(file for name in OF_RUN for file in HELPER.glob(f"{name}.py")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_in_it_is_newer(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=OLDEST)


def test_what_is_newer_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (*OLDEST, 2, "final", 0))
    assert (commands.main(["check"]), commands.main(["show"])) == (2, 125)
    _, said = capfd.readouterr()
    assert said.count("\n") == 2
    assert "Python 3.11" in said
