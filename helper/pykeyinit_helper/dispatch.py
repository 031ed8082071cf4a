"""Which entries of a stack libpam may come to.  Pure; the rules are _pam_dispatch_aux's."""

from collections.abc import Sequence

from pykeyinit_helper.entries import Entry
from pykeyinit_helper.pamconf import (
    DIE,
    DONE,
)


def skip(entries: Sequence[Entry], at: int, jump: int) -> tuple[int, int]:
    """Where a jump from an entry lands, and how much of it was left over at the end.

    The end is that of its substack; one substack is skipped as one entry.
    """
    level = entries[at].level
    while jump and at + 1 < len(entries) and entries[at + 1].level >= level:
        at += 1
        while at + 1 < len(entries) and entries[at + 1].level > level:
            at += 1
        jump -= 1
    return at + 1, jump


def end_of_level(entries: Sequence[Entry], at: int) -> int:
    """The first entry after the substack (or the stack) that an entry is in."""
    level = entries[at].level
    while at + 1 < len(entries) and entries[at + 1].level >= level:
        at += 1
    return at + 1


def reachable(entries: Sequence[Entry], first: int = 0) -> set[int]:
    """The entries that some codes of the modules lead to from one of them, by their places."""
    seen: set[int] = set()
    todo = [first]
    while todo:
        at = todo.pop()
        if at >= len(entries) or at in seen:
            continue
        seen.add(at)
        for action in {0} if entries[at].is_substack else set(entries[at].actions):
            if action > 0:
                todo.append(skip(entries, at, action)[0])
            if action in (DONE, DIE):
                todo.append(end_of_level(entries, at))
            if action <= 0 and action != DIE:  # after a failure before, `done` does not end
                todo.append(at + 1)
    return seen
