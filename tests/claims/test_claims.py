"""docs/claims.md matches this kernel, and its references exist."""

import pytest

from claims import kernels, table
from claims.claim import DIFFERS, HOLDS, NOT_TESTABLE
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


@pytest.mark.parametrize("kernel", kernels.load(), ids=lambda kernel: kernel.suite)
def test_other_kernels_were_asked_all_of_it(kernel: kernels.Kernel) -> None:
    """After a change of the claims, ask other kernels again: ./setup claims --on."""
    asked = {
        (page.name, claim.text) for page in table.PAGES for claim in page.claims if claim.look
    }
    reported = {
        (page, text): word
        for page, texts in kernel.reported.items()
        for text, (word, _) in texts.items()
    }
    assert set(reported) == asked
    assert set(reported.values()) <= {HOLDS, DIFFERS, NOT_TESTABLE}


def test_what_another_kernel_does_otherwise_is_seen() -> None:
    other = kernels.Kernel(
        "x", "5.10.0-1", "3.9.2", {"p": {"a": (HOLDS, ""), "b": (DIFFERS, "c")}}
    )
    assert other.column == "5.10 x"
    assert other.cell("p", "a", (HOLDS, "")) == "="
    assert other.cell("p", "a", (DIFFERS, "d")) == "holds"
    assert other.cell("p", "b", (DIFFERS, "d")) == "differs: c"
    assert other.cell("p", "new", (HOLDS, "")) == "not asked"
