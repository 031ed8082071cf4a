"""How libpam runs a stack, for given codes: a model of _pam_dispatch_aux.

For a first call: authenticate, acct_mgmt, open_session.
"""

from collections.abc import Callable, Mapping, Sequence

from pykeyinit_helper.stacks.dispatch import end_of_level, reachable, skip
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.pamconf import (
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

Returns = Callable[[Entry], int]


def walk(entries: Sequence[Entry], returns: Returns) -> tuple[list[int], int]:
    """The places of the entries whose modules are called, and the code of the stack."""
    called: list[int] = []
    good, status = None, PERM_DENIED  # no result yet; True: good so far; False: bad
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


def calls(
    found: Stack, kinds: Mapping[str, str], returns: Returns, is_there: Callable[[Entry], bool]
) -> tuple[str, list[int]]:
    """The calls that the modules record when all types are called in turn, and the codes.

    `kinds` has the call for each type.  No module of a service that cannot start is called.
    """
    if not found.usable:
        return "", []
    notes, codes = "", []
    for kind, call in kinds.items():
        entries = found.of(kind)
        called, code = walk(entries, returns)
        codes.append(code)
        assert set(called) <= reachable(entries)
        notes += "".join(
            "\t".join((call, *entries[at].arguments)) + "\n"
            for at in called
            if is_there(entries[at])
        )
    return notes, codes
