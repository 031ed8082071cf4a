"""docs/attacks.md names every attack test, and no other test."""

import re

from support import world


def test_the_index_names_the_tests_that_there_are() -> None:
    named = set(re.findall(r"tests/[\w/]+\.py", (world.ROOT / "docs/attacks.md").read_text()))
    assert all((world.ROOT / name).exists() for name in named)
    here = {f"tests/attacks/{path.name}" for path in (world.ROOT / "tests/attacks").glob("test_*")}
    assert here - {"tests/attacks/test_index.py"} <= named
