"""Why a key can be used or not, and what mends it.  Pure: a case goes in, sentences come out.

The order of searching is request_key(2)'s: @t, @p, @s, and @us only where there is no
session keyring.  Reading is keyctl_read(3)'s: the permission `r`, or possession.
"""

from shlex import quote
from typing import NamedTuple

from pykeyinit_helper import permissions
from pykeyinit_helper.permissions import LINK, READ, SEARCH


class Case(NamedTuple):
    """Everything about one question that has a say in the answer."""

    asked: str  # as it was typed
    user: str  # who asks, and the name of the owner of the session keyring and of the key
    session_owner: str = ""
    key_owner: str = ""
    refused: str = ""  # the errno's name where keyctl(2) itself is refused
    session: str = "own"  # own | stand-in | foreign, or an errno's name
    serial: int = 0  # 0: there is no such key anywhere that can be seen
    state: str = "live"  # live | revoked | expired | negative | hidden
    path: tuple[str, ...] = ()  # names of keyrings from @t, @p or @s down to the key
    below_user: bool = False  # whether it lies below @u
    below_user_session: bool = False  # or below @us
    unsearchable: str = ""  # what lies on the way and gives no search: "keyring NAME" or "it"
    unsearchable_serial: int = 0
    share: str = "other"  # what the asker is to the key: user, group or other
    bits: int = 0  # what the key gives to that share
    possessor_bits: int = 0
    quota: tuple[int, int, int, int] | None = None


class Finding(NamedTuple):
    """One sentence; `code` names it for tests, `mend` is the command that puts it right."""

    code: str
    text: str
    mend: str = ""


_DEAD = {
    "EKEYREVOKED": "has been revoked, as at the end of the login that made it",
    "EKEYEXPIRED": "has expired",
    "ENOKEY": "has been invalidated",
}


def diagnose(case: Case) -> list[Finding]:
    """All that there is to say, the cause before its consequences."""
    if case.refused:
        return [_refused(case)]
    return [*_session(case), *_quota(case), *_whether_found(case), *_rights(case)]


def usable(findings: list[Finding]) -> bool:
    """Whether the key is found and can be read."""
    codes = {finding.code for finding in findings}
    return bool(codes & {"found"}) and "readable" in codes


def _refused(case: Case) -> Finding:
    if case.refused == "ENOSYS":
        text = "keyctl(2) does not exist here: a seccomp filter hides it, or the kernel has none"
    else:
        text = f"keyctl(2) is refused ({case.refused}) by a seccomp filter or a security module"
    return Finding(
        f"refused-{case.refused}",
        f"{text}.  No program here sees a key.",
        "in the container's seccomp profile, allow keyctl, add_key and request_key",
    )


def _session(case: Case) -> list[Finding]:
    if case.session in _DEAD:
        text = (
            f"The session keyring (@s) {_DEAD[case.session]}: nothing is found through it, and "
            f"using it fails with {case.session}."
        )
        return [Finding("session-dead", text, "pykeyinit-helper adopt")]
    if case.session == "foreign":
        text = (
            f"The session keyring (@s) belongs to {case.session_owner}, not to {case.user}: "
            f"it leads to the keys of {case.session_owner}."
        )
        return [Finding("session-foreign", text, "exec pykeyinit-helper run -- $SHELL")]
    if case.session == "stand-in":
        text = "There is no session keyring; the user-session keyring (@us) stands in for it."
        return [Finding("session-stand-in", text)]
    return []


def _whether_found(case: Case) -> list[Finding]:
    if case.serial == 0:
        if case.asked.isdigit():
            text = f"There is no key {case.asked}, or it is in no keyring of yours and hidden."
            return [Finding("no-such-serial", text)]
        kind, _, _ = case.asked.partition(":")
        text = f'No key of type "{kind}" with this description is in any keyring of {case.user}.'
        if kind == "keyring":
            text = f"No keyring of this name is in any keyring of {case.user}."
            return [Finding("no-such-keyring", text, _adding(case))]
        return [Finding("no-such-key", text, _adding(case))]
    dead = _dead_key(case)
    if dead:
        return [dead]
    if case.path:
        way = " > ".join(case.path)
        text = f"request_key(2) finds it, and the process possesses it: {way} > key {case.serial}."
        return [Finding("found", text)]
    return [_why_not_found(case)]


def _adding(case: Case) -> str:
    """The command that makes the key that was asked for; in words if only its serial was."""
    kind, colon, description = case.asked.partition(":")
    if not colon:
        return "add it again, under the same description"
    if kind == "keyring":
        return f"keyctl newring {quote(description)} @u"
    return f"keyctl add {quote(kind)} {quote(description)} DATA @u"


def _dead_key(case: Case) -> Finding | None:
    again = _adding(case)
    if case.state == "revoked":
        return Finding("key-revoked", "The key has been revoked: EKEYREVOKED.", again)
    if case.state == "expired":
        return Finding("key-expired", "The key has expired: EKEYEXPIRED.", again)
    if case.state == "negative":
        text = "The key is negative: it was requested, and request-key(8) could not make it."
        return Finding("key-negative", text, f"keyctl unlink {case.serial} @s; then try again")
    return None


def _why_not_found(case: Case) -> Finding:
    if case.unsearchable:
        text = f"It is not found, for {case.unsearchable} on the way gives no search permission."
        mend = f"keyctl setperm {case.unsearchable_serial} 0x3f3f0000"
        return Finding("no-search", text, mend)
    if case.session in _DEAD or case.session == "foreign":
        where = "the user keyring (@u)" if case.below_user else "another keyring"
        return Finding("behind-session", f"It is not found: it is in {where}, behind that.")
    if case.below_user:
        text = "It is in the user keyring (@u), but @u is not linked into @s: it is not found."
        return Finding("user-not-linked", text, "keyctl link @u @s")
    if case.below_user_session:
        text = (
            "It is in the user-session keyring (@us), which is not searched where there is a "
            "session keyring, and is not linked into it: it is not found."
        )
        return Finding("user-session-not-linked", text, "keyctl link @us @s")
    text = "It is in no keyring of this process: request_key(2) does not find it."
    if case.state != "hidden" and case.bits & LINK:
        return Finding("elsewhere", text, f"keyctl link {case.serial} @s")
    in_there = f"in a session that possesses it: keyctl link {case.serial} @u"
    return Finding("elsewhere", text, in_there)


def _rights(case: Case) -> list[Finding]:
    if case.serial == 0 or case.state in ("revoked", "expired", "negative"):
        return []
    if case.state == "hidden":
        text = "It is not possessed, and its permissions do not let this process even look at it."
        return [Finding("hidden", text)]
    granted = case.bits | (case.possessor_bits if case.path else 0)
    possessor, share = permissions.letters(case.possessor_bits), permissions.letters(case.bits)
    whose = f"It belongs to {case.key_owner}"
    if case.path:
        sum_ = f"as possessor {possessor}, as {case.share} {share}"
    else:
        sum_ = f"as {case.share} {share}; {possessor} would be a possessor's"
    text = f"{whose}; {case.user} may, {sum_}."
    return [Finding("permissions", text), _reading(case, granted)]


def _reading(case: Case, granted: int) -> Finding:
    if granted & READ:
        return Finding("readable", "It can be read.")
    if case.path and granted & SEARCH:
        return Finding("readable", "It can be read, for whoever possesses a key may read it.")
    text = "It cannot be read: that takes the permission r, or to possess it (EACCES)."
    return Finding("not-readable", text)


def _quota(case: Case) -> list[Finding]:
    if case.quota is None:
        return []
    keys, most_keys, size, most_bytes = case.quota
    if keys < most_keys and size < most_bytes - 100:  # less than a small key takes
        return []
    text = (
        f"The quota of {case.user} is used up ({keys} of {most_keys} keys, {size} of {most_bytes} "
        "bytes): keys cannot be added (EDQUOT)."
    )
    root = "root_" if case.user == "root" else ""
    what, most = ("keys", most_keys) if keys >= most_keys else ("bytes", most_bytes)
    mend = f"as root: sysctl kernel.keys.{root}max{what}={2 * most} (or keyctl unlink some)"
    return [Finding("quota", text, mend)]
