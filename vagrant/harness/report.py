"""Tables for people: on the terminal, and in docs/logins.md.  Pure, except for put()."""

import textwrap
from pathlib import Path
from typing import Any

from harness.judge import Verdict
from harness.outcome import ASIDE, Row

# The start of a table in docs/logins.md.
FAST = "<!-- ./setup vm --matrix writes from here"
VAGRANT = "<!-- ./setup vm --matrix writes what Vagrant's machines gave from here"
OTHERS = "<!-- ./setup vm --report writes what other processors' machines gave from here"
SELINUX = "<!-- ./setup vm --report writes what machines with SELinux gave from here"
END = "<!-- to here -->"
EMULATED = (
    ".  This machine was emulated: every program takes some 20 times as long as on a processor,"
    " ours and ssh alike.  The goal of 10 ms is for a processor; here the share of a login tells"
)


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


def markdown(rows: list[Row], latency: dict[str, dict[str, Any]], date: str, version: str) -> str:
    """The table in docs/logins.md: a row for a scenario, a column for a suite and loader."""
    suites = list(dict.fromkeys((r.suite, r.kernel, r.python) for r in rows))
    logins = [r for r in rows if r.scenario not in ASIDE]
    columns = list(dict.fromkeys((r.suite, r.loader) for r in logins))
    cells = {(r.scenario, r.suite, r.loader): r.verdict for r in rows}
    titles = dict.fromkeys((r.scenario, r.title) for r in logins)
    lines = [f"pam_pykeyinit {version}, {date}: {counts(rows)}.", ""]
    aside = {(r.suite, r.title): r.verdict for r in rows if r.scenario in ASIDE}
    asked = list(dict.fromkeys(title for _, title in aside if title != ASIDE["latency"][0]))
    lines += ["| suite | " + " | ".join(["kernel", "Python", *asked]) + " |"]
    lines += ["|---" * (len(asked) + 3) + "|"]
    for name, kernel, python in suites:
        words = [spoken_verdict(aside.get((name, title))) for title in asked]
        lines.append(f"| {name} | " + " | ".join([kernel, python, *words]) + " |")
    lines += ["", "| scenario | " + " | ".join(f"{s} {lo}" for s, lo in columns) + " |"]
    lines += ["|---" * (len(columns) + 1) + "|"]
    for name, title in titles:
        words = [cells[name, *c].word if (name, *c) in cells else "" for c in columns]
        lines.append(f"| {title} | " + " | ".join(words) + " |")
    lines += ["", "An empty place: that scenario is not for that loader."]
    reasons: dict[tuple[str, str, Verdict], list[str]] = {}
    for row in rows:
        if row.verdict.word != "pass":
            reasons.setdefault((row.suite, row.loader, row.verdict), []).append(row.title)
    lines += [""] * bool(reasons or latency)
    for (suite, loader, verdict), which in reasons.items():
        why = " ".join(verdict.why.split())[:300]
        what = which[0] if len(which) == 1 else f"{len(which)} scenarios"
        lines.append(f"- {verdict.word}: {what}, {loader} on {suite}: {why}")
    for suite, figures in latency.items():
        lines.append(f"- login latency on {suite}: {spoken(figures)}")
    return "\n".join(lines).rstrip() + "\n"


def spoken_verdict(verdict: Verdict | None) -> str:
    """One word, and what a pass has to say; the reasons for others stand below the table."""
    if verdict is None:
        return ""
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


def put(file: Path, place: str, text: str) -> None:
    """Write it from `place` to END; raises ValueError if the file does not have them."""
    before, begin, rest = file.read_text().partition(place)
    line, _, rest = rest.partition("\n")
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{file} has no lines that begin with {place!r} and {END!r}")
    file.write_text(f"{before}{begin}{line}\n{text}{end}{after}")
