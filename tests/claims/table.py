"""All pages, and the table of the results."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest

from claims import (
    join_session,
    kernels,
    persistent_keyring,
    process_keyring,
    search_order,
    session_keyring,
    stage,
    thread_keyring,
    user_keyring,
    user_session_keyring,
)
from claims.claim import ELSEWHERE, NOT_HERE, base_uid

PAGES = [
    thread_keyring.PAGE,
    process_keyring.PAGE,
    session_keyring.PAGE,
    user_keyring.PAGE,
    user_session_keyring.PAGE,
    join_session.JOIN,
    join_session.PARENT,
    persistent_keyring.PAGE,
    search_order.PAGE,
]
HEADER = """# Statements of the manual pages about keyrings, and the kernel

`sudo ./setup claims` makes this page on the running kernel; a test compares it. Each
statement of a page is in our words, in the page's order. The columns after the
verdict are other kernels, which `sudo ./setup claims --on SUITE` runs in machines of
their own: = is the same verdict.
"""
Verdicts = dict[tuple[str, int], tuple[str, str]]


def ask() -> Verdicts:
    """The verdict of each claim, by page and number."""
    try:
        return {
            (page.name, number): claim.verdict()
            for page in PAGES
            for number, claim in enumerate(page.claims, 1)
        }
    finally:
        stage.forget(base_uid())


def by_statement(verdicts: Verdicts) -> kernels.Reported:
    """The verdicts of the claims that a kernel is asked for, by page and statement."""
    return {
        page.name: {
            claim.text: verdicts[page.name, number]
            for number, claim in enumerate(page.claims, 1)
            if claim.look
        }
        for page in PAGES
    }


def render(verdicts: Verdicts) -> str:
    """The table, in Markdown."""
    others = kernels.load()
    columns = [kernel.column for kernel in others]
    lines = [HEADER, *(f"- {_told_of(kernel)}" for kernel in others), ""]
    heads = ["", "statement", "verdict", *columns]
    for page in PAGES:
        lines += [f"## {page.name}", "", _row(*heads), "|--:|" + "---|" * (len(heads) - 1)]
        for number, claim in enumerate(page.claims, 1):
            word, details = verdicts[page.name, number]
            separator = " " if word == ELSEWHERE else ": " if details else ""
            cells = [
                kernel.cell(page.name, claim.text, (word, details)) if claim.look else ""
                for kernel in others
            ]
            lines.append(_row(str(number), claim.text, f"{word}{separator}{details}", *cells))
        lines.append("")
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _told_of(kernel: kernels.Kernel) -> str:
    claims = [verdict for page in kernel.reported.values() for verdict in page.values()]
    counts = Counter(word for word, _ in claims)
    reported = ", ".join(f"{count} {word}" for word, count in counts.most_common())
    return f"{kernel.column}: Linux {kernel.release}, Python {kernel.python}: {reported}"


def differences(committed: str, made: str) -> list[str]:
    """The lines of a table that differ from another, except for what is not observable here."""
    pairs = zip_longest(committed.splitlines(), made.splitlines(), fillvalue="")
    return [
        f"committed: {old}\nthis kernel: {new}"
        for old, new in pairs
        if old != new and NOT_HERE not in new
    ]


def summary(verdicts: Verdicts) -> str:
    """The number of claims with each verdict."""
    counts = Counter(word for word, _ in verdicts.values())
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())
