"""docs/promises.md: the promises of SECURITY.md, each with the results of its tests."""

import importlib.util
from types import ModuleType
from typing import Any

from support import world
from support.record import Record

SECURITY = """\
## Promises

| promise | held by |
|---|---|
| It holds. | `tests/a/test_x.py::test_one` `tests/b` |
| It is fast. | `tests/test_none.py` |

## Hazards
"""


def _promises() -> ModuleType:
    file = world.ROOT / "build-aux/promises.py"
    spec = importlib.util.spec_from_file_location("promises", file)
    assert spec and spec.loader  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _last() -> dict[str, Any]:
    record = Record()
    record.outcome("tests/a/test_x.py::test_one[a::b]", "passed")
    record.outcome("tests/a/test_x.py::test_one[c]", "passed")
    record.outcome("tests/a/test_x.py::test_one_more", "failed")
    record.outcome("tests/b/test_y.py::test_two", "failed")
    record.figure("tests/b/test_y.py::test_two", "cycles", 20_000)
    return record.merge({})


def test_what_the_tests_gave_is_told_and_nothing_else() -> None:
    rows = _promises().page(SECURITY, _last()).splitlines()[-2:]
    assert [row.split(" | ")[-1] for row in rows] == [
        "1 failed; 2 passed; cycles: 20,000 |",
        "1 not run |",
    ]


def test_a_later_run_takes_the_place_of_what_it_ran() -> None:
    record = Record()
    record.outcome("tests/b/test_y.py::test_two", "passed")
    page = _promises().page(SECURITY, record.merge(_last()))
    assert "3 passed |" in page
    assert "failed" not in page


def test_the_mutants_of_all_files_are_added_up() -> None:
    last = _last()
    for file, killed in (("a.py", 3), ("loader/b.c", 1_000)):
        last["tests"][f"tests/mutants/run.py::{file}"] = {
            "outcomes": {"killed": killed, "explained": 1},
            "figures": {},
        }
    security = SECURITY.replace("`tests/test_none.py`", "`tests/mutants/run.py`")
    assert _promises().page(security, last).endswith("2 explained; 1,003 killed |\n")


def test_the_parts_of_a_long_run_are_added_up() -> None:
    parts = [
        {"date": date, "commit": "abc", "run": run, "amount": amount, "found": found}
        for date, run, amount, found in (
            ("2026-02-03", "sequences", "40000", "0"),
            ("2026-02-02", "sequences", "60000", "0"),
            ("2026-02-03", "fuzz", "5", "2"),
        )
    ]
    assert _promises().long_runs(parts).splitlines()[-2:] == [
        "| sequences | 100,000 | 2 | 2026-02-02 | 2026-02-03 | nothing |",
        "| fuzz | 5 | 1 | 2026-02-03 | 2026-02-03 | 2 |",
    ]


def test_the_page_is_of_all_long_runs() -> None:
    promises = _promises()
    parts = promises.parts_of(world.ROOT / "tests/long-runs.tsv")
    page = (world.ROOT / "docs/promises.md").read_text()
    assert page.endswith(promises.long_runs(parts)), "./setup promises"


def test_the_page_is_of_todays_promises() -> None:
    promises = _promises()
    security = (world.ROOT / "SECURITY.md").read_text()
    page = (world.ROOT / "docs/promises.md").read_text()
    assert len(promises.promises(security)) >= 15
    for promise, references in promises.promises(security):
        held = " ".join(f"`{reference}`" for reference in references)
        assert f"\n| {promise} | {held} | " in page, "./setup promises"
    assert "failed" not in page
    assert "not run" not in page
