"""Tables for people: on the terminal, and for docs/logins.md.  Pure."""

import textwrap
from typing import Any, NamedTuple

from harness.document import Table
from harness.judge import Verdict
from harness.outcome import ASIDE, Row

# The start of a table in docs/logins.md.
FAST = "<!-- ./setup vm --matrix writes from here"
VAGRANT = "<!-- ./setup vm --matrix writes what Vagrant's machines gave from here"
OTHERS = "<!-- ./setup vm --report writes what other processors' machines gave from here"
SELINUX = "<!-- ./setup vm --report writes what machines with SELinux gave from here"
EMULATED = (
    ".  This machine was emulated: every program takes some 20 times as long as on a processor,"
    " ours and ssh alike.  The goal of 10 ms is for a processor; here the share of a login tells"
)


class Ran(NamedTuple):
    """When a suite ran, and the version of the module."""

    date: str
    version: str


def listing(rows: list[Row]) -> str:
    """One line for each row: suite, kernel, Python, loader, scenario, result."""
    head = ("SUITE", "KERNEL", "PYTHON", "LOADER", "SCENARIO", "RESULT")
    table = [head] + [
        (r.suite, r.kernel, r.python, r.loader, r.scenario, r.verdict.word) for r in rows
    ]
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    lines = []
    for number, line in enumerate(table):
        lines.append(
            "  ".join(word.ljust(w) for word, w in zip(line, widths, strict=True)).rstrip()
        )
        why = rows[number - 1].verdict.why if number else ""
        lines += textwrap.wrap(why, 96, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def counts(rows: list[Row]) -> str:
    """The number of each verdict, in the form of a test runner's last line.

    A "locked out" by a known limit has not passed: it is counted with what did not run.
    """
    words = [row.verdict.word for row in rows]
    text = f"{words.count('pass')} passed, {words.count('FAIL')} failed"
    skipped = len(rows) - words.count("pass") - words.count("FAIL")
    return text + f", {skipped} skipped" * bool(skipped)


def table(rows: list[Row], runs: dict[str, Ran], latency: dict[str, str]) -> Table:
    """What docs/logins.md says of these suites; a latency is told in words."""
    new = Table({}, {}, {})
    for suite in dict.fromkeys(row.suite for row in rows):
        own = [row for row in rows if row.suite == suite]
        new.suites[suite] = {
            **runs[suite]._asdict(),
            "kernel": own[0].kernel,
            "Python": own[0].python,
            "result": counts(own),
        }
        for row in own:
            if row.scenario not in ASIDE:
                cells = new.scenarios.setdefault(row.title, {})
                cells[f"{suite} {row.loader}"] = row.verdict.word
            elif row.scenario != "latency":
                new.suites[suite][row.title] = spoken_verdict(row.verdict)
        if reported := reasons(own):
            new.notes[suite] = reported
    new.notes.update({f"login latency on {suite}": [text] for suite, text in latency.items()})
    return new


def reasons(rows: list[Row]) -> list[str]:
    """Why those of one suite did not pass; what has the same reason is told once."""
    same: dict[tuple[Verdict, str], list[str]] = {}
    for row in rows:
        if row.verdict.word != "pass":
            same.setdefault((row.verdict, row.loader), []).append(row.title)
    lines = []
    for (verdict, loader), which in same.items():
        what = which[0] if len(which) == 1 else f"{len(which)} scenarios"
        what += f", {loader}" * (loader != "all")
        lines.append(f"{verdict.word}: {what}: " + " ".join(verdict.why.split())[:300])
    return lines


def spoken_verdict(verdict: Verdict) -> str:
    """One word, and what a pass has to say; the reasons for others stand below the table."""
    return f"pass: {verdict.why}" if verdict.word == "pass" and verdict.why else verdict.word


def spoken(figures: dict[str, Any]) -> str:
    """The medians in words, with the measured kernel."""
    medians = ", ".join(f"{name} {value:.0f} ms" for name, value in figures["medians"].items())
    base = figures["medians"].get("pam_keyinit")
    more = ", ".join(
        f"{name} {value:+.1f} ms" + f" ({value / base:+.1%} of a login)" * bool(base)
        for name, value in figures["more_than_pam_keyinit"].items()
    )
    text = f"medians of {figures['rounds']} logins {medians}; beside pam_keyinit {more}"
    if "host" in figures:
        low, high = figures["host"]["load"]
        text += f"; the host has {figures['host']['cpus']} CPUs and a load of {low} to {high}"
        text += EMULATED * figures["host"]["emulated"]
    return text
