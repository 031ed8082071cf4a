"""The printed report, and the table in docs/logins.md."""

from pathlib import Path

import pytest

from harness import report
from harness.judge import Verdict
from harness.outcome import Row

ROWS = [
    Row("trixie", "6.12", "3.13.5", "native", "ssh-key", "ssh with a key", Verdict("pass")),
    Row("trixie", "6.12", "3.13.5", "pam_python", "ssh-key", "ssh with a key", Verdict("pass")),
    Row("trixie", "6.12", "3.13.5", "native", "at", "at job", Verdict("not run", "no atd")),
    Row("sid", "7.2", "3.14.1", "native", "at", "at job", Verdict("FAIL", "not revoked")),
]
LATENCY = {
    "trixie": {
        "rounds": 30,
        "medians": {"pam_keyinit": 100.4, "native": 105.0},
        "more_than_pam_keyinit": {"native": 4.6},
    }
}


def test_the_listing_has_a_line_for_each_and_the_reasons() -> None:
    lines = report.listing(ROWS).splitlines()
    assert lines[0].split() == ["SUITE", "KERNEL", "PYTHON", "LOADER", "SCENARIO", "RESULT"]
    assert lines[1].split() == ["trixie", "6.12", "3.13.5", "native", "ssh-key", "pass"]
    assert lines[3:5] == ["trixie  6.12    3.13.5  native      at        not run", "    no atd"]
    assert lines[-1].strip() == "not revoked"


def test_what_was_not_run_is_counted_as_such() -> None:
    assert report.counts(ROWS) == "2 passed, 1 failed, 1 skipped"
    assert report.counts(ROWS[:2]) == "2 passed, 0 failed"
    limit = ROWS[0]._replace(verdict=Verdict("locked out", "dlopen"))
    assert report.counts([limit]) == "0 passed, 0 failed, 1 skipped"


def test_the_table_for_readme() -> None:
    text = report.markdown(ROWS, LATENCY, "2026-01-02", "0.1")
    assert text.startswith("pam_pykeyinit 0.1, 2026-01-02: 2 passed, 1 failed, 1 skipped.\n")
    assert "| trixie | 6.12 | 3.13.5 |\n| sid | 7.2 | 3.14.1 |\n" in text
    assert "| scenario | trixie native | trixie pam_python | sid native |" in text
    assert "| ssh with a key | pass | pass |  |\n| at job | not run |  | FAIL |" in text
    assert "- not run: at job, native on trixie: no atd\n" in text
    assert "- FAIL: at job, native on sid: not revoked\n" in text
    assert "pam_keyinit 100 ms, native 105 ms; beside pam_keyinit native +4.6 ms" in text


@pytest.mark.parametrize(
    ("place", "other"), [(report.FAST, report.VAGRANT), (report.VAGRANT, report.FAST)]
)
def test_only_what_is_between_the_markers_is_replaced(
    place: str, other: str, tmp_path: Path
) -> None:
    file = tmp_path / "logins.md"
    rest = f"{other} -->\nkept\n{report.END}\nafter\n"
    file.write_text(f"before\n{place} -->\nold\n{report.END}\n{rest}")
    for text in ("new\n", "newer\n"):
        report.put(file, place, text)
        assert file.read_text() == f"before\n{place} -->\n{text}{report.END}\n{rest}"


def test_a_file_without_markers_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "logins.md"
    file.write_text("words\n")
    with pytest.raises(ValueError, match="has no lines"):
        report.put(file, report.FAST, "new\n")
    assert file.read_text() == "words\n"


def test_logins_md_has_a_place_for_each_table() -> None:
    text = (Path(report.__file__).parents[2] / "docs/logins.md").read_text()
    for place in (report.FAST, report.VAGRANT):
        assert text.count(place) == 1


def test_a_latency_is_told_with_what_it_was_measured_on() -> None:
    assert "load" not in report.spoken(LATENCY["trixie"])
    host = {"emulated": True, "load": [0.5, 7.0], "cpus": 2}
    reported = report.spoken({**LATENCY["trixie"], "host": host})
    assert (
        "native +4.6 ms (+4.6% of a login); the host has 2 CPUs and a load of 0.5 to 7.0"
        in reported
    )
    assert report.EMULATED in reported
    assert report.EMULATED not in report.spoken(
        {**LATENCY["trixie"], "host": {**host, "emulated": False}}
    )
