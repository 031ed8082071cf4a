"""The tables in docs/logins.md: a run changes what they say of its suite, and nothing else."""

import sys
from pathlib import Path

import pytest

from harness import __main__ as main
from harness import document, plan, records, report, roots
from harness.document import Table

OLD = f"""| suite | date | result |
|---|---|---|
| bookworm | 2026-01-01 | 2 passed, 1 failed |
| trixie (Vagrant) | 2026-01-02 | 2 passed |

| scenario | bookworm pam_keyinit | bookworm native | trixie (Vagrant) native |
|---|---|---|---|
| ssh | pass | FAIL | pass |
| an old one | pass |  |  |
| cron |  |  | pass |

{document.EMPTY}

- bookworm: FAIL: ssh, native: no keyring: none
- login latency on bookworm: 9 ms
- trixie (Vagrant): not run: at job
"""
CHANGED = f"""| suite | date | result | tests |
|---|---|---|---|
| bookworm | 2026-02-03 | 3 passed | pass: 7 |
| trixie (Vagrant) | 2026-01-02 | 2 passed |  |

| scenario | bookworm pam_keyinit | bookworm native | trixie (Vagrant) native |
|---|---|---|---|
| su |  | pass |  |
| ssh |  |  | pass |
| cron | pass | pass | pass |

{document.EMPTY}

- login latency on bookworm: 9 ms
- trixie (Vagrant): not run: at job
"""
NEW = Table(
    {"bookworm": {"date": "2026-02-03", "result": "3 passed", "tests": "pass: 7"}},
    {
        "cron": {"bookworm pam_keyinit": "pass", "bookworm native": "pass"},
        "su": {"bookworm native": "pass"},
    },
    {},
)
TITLES = ["su", "ssh", "cron"]


def test_what_was_written_is_read() -> None:
    assert document.written(document.read(OLD)) == OLD
    assert document.read(OLD).notes["bookworm"] == ["FAIL: ssh, native: no keyring: none"]


def test_a_run_replaces_all_of_its_suite_and_nothing_else() -> None:
    table = document.merged(document.read(OLD), NEW, TITLES)
    assert document.written(table) == CHANGED
    assert document.read(CHANGED) == table
    assert document.merged(table, NEW, TITLES) == table


def test_an_old_scenario_is_last() -> None:
    table = document.merged(document.read(OLD), Table({}, {}, {}), TITLES)
    assert list(table.scenarios) == ["ssh", "cron", "an old one"]


def test_a_latency_is_replaced_by_a_latency_alone() -> None:
    measured = Table({}, {}, {"login latency on bookworm": ["8 ms"]})
    table = document.merged(document.read(OLD), measured, TITLES)
    assert document.written(table) == document.written(
        document.merged(document.read(OLD.replace("9 ms", "8 ms")), Table({}, {}, {}), TITLES)
    )


@pytest.mark.parametrize(
    ("place", "other"), [(report.FAST, report.VAGRANT), (report.VAGRANT, report.FAST)]
)
def test_only_what_is_between_the_markers_is_replaced(
    place: str, other: str, tmp_path: Path
) -> None:
    file = tmp_path / "logins.md"
    rest = f"{other} -->\n{OLD}{document.END}\nafter\n"
    file.write_text(f"before\n{place} -->\n{document.END}\n{rest}")
    for _ in range(2):
        document.put(file, place, document.read(OLD), ["ssh", "an old one"])
        assert file.read_text() == f"before\n{place} -->\n{OLD}{document.END}\n{rest}"


def test_a_file_without_markers_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "logins.md"
    file.write_text("words\n")
    with pytest.raises(ValueError, match="there are no lines"):
        document.put(file, report.FAST, NEW, TITLES)
    assert file.read_text() == "words\n"


def test_a_report_of_one_suite_changes_its_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From what is kept to the file."""
    docs = tmp_path / "docs/logins.md"
    docs.parent.mkdir()
    text = (roots.TREE / "docs/logins.md").read_text()
    docs.write_text(text)
    monkeypatch.setattr(main, "TREE", tmp_path)
    monkeypatch.setattr(main, "BUILD", tmp_path)
    scenario = next(one for one in plan.load() if one["name"] == "ssh-key")
    run = records.begun("sid-s390x", {"loaders": ["native"], "scenarios": [scenario]})
    records.save("sid-s390x", run._replace(date="2027-01-02", version="9.8"), tmp_path)
    kept = records.load(tmp_path)
    monkeypatch.setattr(records, "load", lambda: kept)
    monkeypatch.setattr(sys, "argv", ["vm", "--report"])
    assert main.main() == 1  # nothing ran

    before, table, after = document.around(docs.read_text(), report.OTHERS)
    assert "\n| sid-s390x | 2027-01-02 | 9.8 | - | - | 0 passed, 0 failed, 1 skipped |" in table
    changed = document.read(table)
    assert changed.scenarios["ssh with a key"].pop("sid-s390x native") == "not run"
    assert changed.notes.pop("sid-s390x") == ["not run: ssh with a key, native: never begun"]
    del changed.suites["sid-s390x"]
    assert (before, document.written(changed), after) == document.around(text, report.OTHERS)
