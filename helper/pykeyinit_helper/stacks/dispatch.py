"""Which entries of a stack libpam may reach.  Pure; the rules of _pam_dispatch_aux."""

from collections.abc import Callable, Iterator, Sequence

from pykeyinit_helper.stacks.entries import Entry
from pykeyinit_helper.stacks.pamconf import (
    AUTH_ERR,
    BAD,
    DIE,
    DONE,
    PERM_DENIED,
    SESSION_ERR,
    SUCCESS,
)

# Modules whose failure is an answer: the next lines are for both answers.
_QUESTIONS = frozenset(
    f"pam_{name}.so"
    for name in "access exec listfile localuser rootok script shells succeed_if time wheel".split()
)


def skip(entries: Sequence[Entry], at: int, jump: int) -> tuple[int, int]:
    """The target of a jump from an entry, and the entries that remain to skip at the end.

    The end is that of its substack; a substack is skipped as one entry.
    """
    return _skip(entries, at, jump, entries[at].level)


def _skip(entries: Sequence[Entry], at: int, jump: int, level: int) -> tuple[int, int]:
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
    """The places of the entries that follow an entry for some return codes."""

    def following(at: int) -> Iterator[int]:
        actions = set(entries[at].actions)
        if not actions.isdisjoint((DONE, DIE)):
            yield end_of_level(entries, at)
        # After a failure, `done` does not end the stack.
        if any(action <= 0 and action != DIE for action in actions):
            yield at + 1
        yield from _landings(entries, at, actions)

    return _walk(entries, first, following)


def reached_in_a_good_login(entries: Sequence[Entry]) -> set[int]:
    """The entries that libpam reaches if only modules fail that answer a question."""

    def following(at: int) -> Iterator[int]:
        actions = _actions_of_a_good_login(entries[at])
        if DONE in actions:
            yield end_of_level(entries, at)
        if any(action <= 0 and action not in (DONE, DIE) for action in actions):
            yield at + 1
        yield from _landings(entries, at, actions)

    return _walk(entries, 0, following)


def _actions_of_a_good_login(entry: Entry) -> set[int]:
    if entry.fault:
        return {entry.actions[PERM_DENIED]}
    if entry.name == "pam_permit.so":
        return {entry.actions[SUCCESS]}
    if entry.name == "pam_deny.so" and entry.kind == "auth":
        return {entry.actions[AUTH_ERR]} - {BAD}  # after it no login succeeds
    if entry.name == "pam_deny.so":
        return {entry.actions[SESSION_ERR]}
    if entry.name in _QUESTIONS or entry.kind == "auth":  # one of several alternatives succeeds
        return set(entry.actions)
    return {entry.actions[SUCCESS]}


def _landings(entries: Sequence[Entry], at: int, actions: set[int]) -> Iterator[int]:
    """The targets of the jumps among the actions, the shortest first."""
    level, place, jumped = entries[at].level, at, 0
    for jump in sorted(action for action in actions if action > 0):
        landing, _ = _skip(entries, place, jump - jumped, level)
        yield landing
        place, jumped = landing - 1, jump


def _walk(
    entries: Sequence[Entry], first: int, following: Callable[[int], Iterator[int]]
) -> set[int]:
    seen: set[int] = set()
    todo = [first]
    while todo:
        at = todo.pop()
        if at < len(entries) and at not in seen:
            seen.add(at)
            todo += [at + 1] if entries[at].is_substack else following(at)
    return seen
