"""All pages, and the table of what comes of asking the kernel."""

from collections import Counter
from itertools import zip_longest

from claims import (
    join_session,
    persistent_keyring,
    process_keyring,
    search_order,
    session_keyring,
    thread_keyring,
    user_keyring,
    user_session_keyring,
)
from claims.claim import NOT_HERE

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
HEADER = """# What the manual pages say of keyrings, and what the kernel does

Made by `sudo ./setup claims`, which asks the kernel it runs on; a test compares. Each
statement of fact of the page is told in our words, in the page's order.
"""
Verdicts = dict[tuple[str, int], tuple[str, str]]


def ask() -> Verdicts:
    """The verdict of each claim, by page and number."""
    return {
        (page.name, number): claim.verdict()
        for page in PAGES
        for number, claim in enumerate(page.claims, 1)
    }


def render(verdicts: Verdicts) -> str:
    """The table, in Markdown."""
    lines = [HEADER]
    for page in PAGES:
        lines += [f"## {page.name}", "", "| | statement | verdict |", "|--:|---|---|"]
        for number, claim in enumerate(page.claims, 1):
            word, details = verdicts[page.name, number]
            separator = " " if word.endswith("see") else ": " if details else ""
            lines.append(f"| {number} | {claim.text} | {word}{separator}{details} |")
        lines.append("")
    return "\n".join(lines)


def differences(committed: str, made: str) -> list[str]:
    """Lines of a table that are not those of another, save what cannot be seen here."""
    pairs = zip_longest(committed.splitlines(), made.splitlines(), fillvalue="")
    return [
        f"committed: {old}\nthis kernel: {new}"
        for old, new in pairs
        if old != new and NOT_HERE not in new
    ]


def summary(verdicts: Verdicts) -> str:
    """How many there are of each verdict."""
    counts = Counter(word for word, _ in verdicts.values())
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())
