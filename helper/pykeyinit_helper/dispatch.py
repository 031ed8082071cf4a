"""Which modules of a stack libpam calls, and what comes of their codes.  Pure.

The rules are those of libpam's _pam_dispatch_aux, for a first call: authenticate, acct_mgmt,
open_session.
"""

from collections.abc import Callable, Sequence

from pykeyinit_helper.pamconf import (
    BAD,
    CODES,
    DIE,
    DONE,
    IGNORED,
    OK,
    PERM_DENIED,
    RESET,
    SUCCESS,
)
from pykeyinit_helper.stack import Entry

Returns = Callable[[Entry], int]


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


def reachable(entries: Sequence[Entry]) -> set[int]:
    """The entries that some codes of the modules lead to, by their place in the list."""
    seen: set[int] = set()
    todo = [0]
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


def walk(entries: Sequence[Entry], returns: Returns) -> tuple[list[int], int]:
    """The places of the entries whose modules are called, and the code of the whole."""
    called: list[int] = []
    good, status = None, PERM_DENIED  # nothing said yet; True: good so far; False: bad
    entered: dict[int, tuple[bool | None, int]] = {0: (good, status)}
    at = before = 0
    while at < len(entries):
        entry = entries[at]
        if before < entry.level:
            entered[entry.level] = (good, status)
        before = entry.level
        if entry.is_substack:
            at += 1
            continue
        code = PERM_DENIED
        if not entry.fault:
            called.append(at)
            code = returns(entry)
        action = BAD
        if 0 <= code < len(CODES):
            action = entry.actions[code]
        else:
            code = PERM_DENIED
        following = at + 1
        if action == RESET:
            good, status = entered[entry.level]
        elif action in (OK, DONE):
            if good is None or (good and status == SUCCESS):
                good, status = True, code
            if good and action == DONE:
                following = end_of_level(entries, at)
        elif action in (BAD, DIE):
            if good is not False:
                good, status = False, PERM_DENIED if code == IGNORED else code
            if action == DIE:
                following = end_of_level(entries, at)
        elif action > 0:
            following, left = skip(entries, at, action)
            if left:
                good, status = False, PERM_DENIED
        at = following
    if status == SUCCESS and not good:
        status = PERM_DENIED
    return called, status
