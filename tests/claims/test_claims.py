"""docs/claims.md is what this kernel does; and what it points to is there."""

import pytest

from claims import table
from support import world

pytestmark = pytest.mark.privileged

COMMITTED = world.ROOT / "docs/claims.md"


def test_the_table_is_what_the_kernel_says(tally: dict[str, int]) -> None:
    verdicts = table.ask()

    assert table.differences(COMMITTED.read_text(), table.render(verdicts) + "\n") == []
    tally["claims of manual pages"] = len(verdicts)


def test_a_verdict_that_changes_is_seen() -> None:
    committed = COMMITTED.read_text()
    assert "| holds |" in committed
    assert table.differences(committed, committed) == []
    assert len(table.differences(committed, committed.replace("holds |", "FAILED |", 1))) == 1
    assert table.differences(committed, committed + "| 99 | one more | holds |\n") != []


@pytest.mark.parametrize(
    "named", sorted({claim.test for page in table.PAGES for claim in page.claims if claim.test})
)
def test_a_test_that_is_named_exists(named: str) -> None:
    file, _, function = named.partition("::")
    if function:
        assert f"\ndef {function}(" in (world.ROOT / file).read_text()
    else:
        assert named in {page.name for page in table.PAGES}
