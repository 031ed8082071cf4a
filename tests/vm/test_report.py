"""The printed report, and what docs/logins.md gets of it."""

from harness import document, report, roots
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


def test_the_table_says_when_each_suite_ran() -> None:
    runs = {"trixie": report.Ran("2026-01-02", "0.1"), "sid": report.Ran("2026-01-03", "0.2")}
    new = report.table(ROWS, runs, {"trixie": "100 ms"})
    assert [" ".join(cells.values()) for cells in new.suites.values()] == [
        "2026-01-02 0.1 6.12 3.13.5 2 passed, 0 failed, 1 skipped",
        "2026-01-03 0.2 7.2 3.14.1 0 passed, 1 failed",
    ]
    assert new.scenarios == {
        "ssh with a key": {"trixie native": "pass", "trixie pam_python": "pass"},
        "at job": {"trixie native": "not run", "sid native": "FAIL"},
    }
    assert new.notes == {
        "trixie": ["not run: at job, native: no atd"],
        "sid": ["FAIL: at job, native: not revoked"],
        "login latency on trixie": ["100 ms"],
    }


def test_what_has_one_reason_is_told_once() -> None:
    limit = [ROWS[2], ROWS[2]._replace(title="cron job"), ROWS[2]._replace(loader="all")]
    assert report.reasons([*ROWS[:2], *limit]) == [
        "not run: 2 scenarios, native: no atd",
        "not run: at job: no atd",
    ]


def test_logins_md_has_a_place_for_each_table() -> None:
    text = (roots.TREE / "docs/logins.md").read_text()
    for place in (report.FAST, report.VAGRANT, report.OTHERS, report.SELINUX):
        assert text.count(place) == 1
        table = document.around(text, place)[1]
        assert document.written(document.read(table)) == table


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
