"""Why a key can be used or not, in sentences.  Pure: a case goes in, findings come out.

Case.error is the kernel's answer whether it can be used; this module explains the answer.
request_key(2) searches @t, @p, @s, and @us only if there is no
session keyring.  keyctl_read(3) needs the permission `r`, or possession.
"""

from collections.abc import Iterator

from pykeyinit_helper.inspect import circumstances, permissions
from pykeyinit_helper.inspect.case import Case, Finding
from pykeyinit_helper.inspect.reasons import why_not


def diagnose(case: Case) -> list[Finding]:
    """All findings, a cause before its consequences."""
    if case.refused:
        return [circumstances.refused(case)]
    found = [
        *circumstances.filters(case),
        *circumstances.session(case),
        *circumstances.quota(case),
        *(_found(case) if case.good else why_not(case)),
        *_rights(case),
    ]
    # A mend could harm a key that can be used.
    return [one._replace(mend=None, administrator="") for one in found] if case.good else found


def _found(case: Case) -> Iterator[Finding]:
    if case.path:
        way = " > ".join(case.path)
        text = f"request_key(2) finds it, and the process possesses it: {way} > key {case.serial}."
        if case.path == (case.asked.anchor,):
            text = f"It is searched by request_key(2): key {case.serial}."
        yield Finding("found", text)
    elif case.named:
        text = (
            f"request_key(2) finds it, and the process possesses it: key {case.serial}, by way "
            "of a keyring whose links cannot be read."
        )
        yield Finding("found", text)
    else:
        text = f"request_key(2) does not find it, but its number is enough: key {case.serial}."
        yield Finding("by-number", text)


def _rights(case: Case) -> Iterator[Finding]:
    if case.serial == 0 or case.state in ("revoked", "expired", "negative"):
        return
    if case.state == "hidden":
        lead = "Its" if case.possessed else "It is not possessed, and its"
        text = f"{lead} permissions do not let this process even look at it."
        yield Finding("hidden", text)
        return
    possessor = permissions.letters(case.possessor_bits)
    share = permissions.letters(case.bits)
    if case.possessed:
        sum_ = f"as possessor {possessor}, as {case.share} {share}"
    else:
        sum_ = f"as {case.share} {share}; {possessor} would be a possessor's"
    yield Finding("permissions", f"It belongs to {case.owner}; {case.user} may, {sum_}.")
    yield _reading(case)


def _reading(case: Case) -> Finding:
    if not case.reading:
        granted = case.bits | (case.possessor_bits if case.possessed else 0)
        by = "" if granted & permissions.READ else ", for whoever possesses a key may read it"
        return Finding("readable", f"It can be read{by}.")
    if case.reading == "EOPNOTSUPP":
        text = f"It cannot be read by programs: keys of type {case.kind} are for the kernel's use."
        return Finding("no-reading", text)
    if case.reading == "EACCES":
        text = "It cannot be read: that takes the permission r, or to possess it (EACCES)."
        return Finding("not-readable", text)
    return Finding("not-readable", f"It cannot be read ({case.reading}).")
