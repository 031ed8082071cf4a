"""Why the kernel does not find a key, and what mends that.  Pure."""

from collections.abc import Iterator

from pykeyinit_helper.inspect import circumstances, keytypes, mends
from pykeyinit_helper.inspect.case import DEAD, Case, Finding
from pykeyinit_helper.inspect.permissions import LINK, SEARCH
from pykeyinit_helper.output import Mend

_ANCHORS = {
    "@t": "There is no thread keyring; the kernel creates it when a key is added to it.",
    "@p": "There is no process keyring; the kernel creates it when a key is added to it.",
}


def why_not(case: Case) -> Iterator[Finding]:
    """The reason.  `case` is of a key that cannot be used."""
    if case.asked.anchor and not case.serial:
        if case.asked.anchor in _ANCHORS:
            yield Finding("no-such-anchor", _ANCHORS[case.asked.anchor])
        elif case.asked.anchor != "@s":
            yield Finding("no-such-anchor", f"It is not available ({case.error}).")
    elif case.named and any(call == "request_key" for call, _ in case.filtered):
        return  # the refusal is reported already
    elif not case.serial:
        yield _none(case)
        yield from circumstances.namespace(case)
    elif case.state in ("revoked", "expired", "negative"):
        yield from _dead(case)
    elif case.path:
        yield Finding("unreadable", f"It is found, but reading it fails with {case.error}.")
    else:
        yield _unfound(case)
        yield from circumstances.namespace(case)


def _none(case: Case) -> Finding:
    """No key is visible to this process."""
    kind, description = case.asked.kind, case.asked.description
    if not case.named:
        text = f"There is no key {case.asked.text}, or it is hidden and in none of your keyrings."
        return Finding("no-such-serial", text)
    fault = keytypes.fault(kind, description)
    if fault:
        return Finding("no-such-name", f"There can be no such key: {fault} ({case.error}).")
    if not case.type_exists:
        return _no_type(kind)
    if case.error in DEAD and case.error != "ENOKEY":
        text = f"The key {DEAD[case.error].partition(',')[0]}: {case.error}."
        return Finding(f"key-{_STATES[case.error]}", text, _adding(case))
    if case.dark:
        text = (
            f"No key of this name is visible.  If it is in keyring {case.dark}, it is not found: "
            "that gives this process neither search nor read permission."
        )
        return Finding("dark-keyring", text, _adding(case))
    if kind == "keyring":
        text = f"No keyring of this name is in any keyring of {case.user}."
    else:
        text = f'No key of type "{kind}" with this description is in any keyring of {case.user}.'
    source = keytypes.source(kind, description)
    if source:
        text += f"  It cannot be added by hand: {source}."
    return Finding("no-such-keyring" if kind == "keyring" else "no-such-key", text, _adding(case))


_STAYS = "  This is permanent; ask by type and description for a key that replaced it."
_STATES = {"EKEYREVOKED": "revoked", "EKEYEXPIRED": "expired"}


def _no_type(kind: str) -> Finding:
    text = f'This kernel has no type "{kind}".'
    meant = keytypes.similar(kind)
    if meant and meant != kind:
        text += f'  Was "{meant}" meant?'
        return Finding("no-such-type", text)
    load = "load the kernel module that has this type, if there is one"
    return Finding("no-such-type", text, administrator=load)


def _adding(case: Case) -> Mend | None:
    """The command that adds the key, if there is one."""
    return mends.add(case) if _can_add(case) else None


def _replacing(case: Case) -> Mend | None:
    return (mends.replace(case) or mends.add(case)) if _can_add(case) else None


def _can_add(case: Case) -> bool:
    kind, description = case.asked.kind, case.asked.description
    hopeless = keytypes.fault(kind, description) or keytypes.source(kind, description)
    refused = any(call == "add_key" for call, _ in case.filtered)
    room = case.type_exists and case.has_room()
    return case.named and room and not hopeless and not refused


def _dead(case: Case) -> Iterator[Finding]:
    if case.state == "negative":
        text = "The key is negative: it was requested, and request-key(8) could not create it."
        if keytypes.is_requested(case.asked.kind):
            look = (
                f"find out why request-key(8) fails for {case.asked.kind}: see /etc/request-key.d"
            )
            yield Finding("key-negative", text, administrator=look)
            return
        if not case.named:
            text += _STAYS
        yield Finding("key-negative", text, _replacing(case))
        return
    error = {"revoked": "EKEYREVOKED", "expired": "EKEYEXPIRED"}[case.state]
    text = f"The key has {'been ' if case.state == 'revoked' else ''}{case.state}: {error}."
    if not case.named:
        text += _STAYS
    yield Finding(f"key-{case.state}", text, _adding(case))


def _unfound(case: Case) -> Finding:
    """The key exists, but the process does not possess it."""
    if case.blocker:
        return _blocked(case)
    if case.deep:
        text = (
            "It is nested too deep: the kernel searches seven levels of keyrings, and its "
            "keyring is below them."
        )
        return Finding("too-deep", text, mends.link_deep_keyring(case))
    if case.below_user:
        if case.session in ("own", "stand-in"):
            text = "It is in the user keyring (@u), but @u is not linked into @s: it is not found."
            return Finding("user-not-linked", text, mends.link_user(case))
        text = "It is not found: it is in the user keyring (@u), which is not reached through it."
        return Finding("behind-session", text, mends.link_user(case))
    if case.below_user_session:
        text = (
            "It is in the user-session keyring (@us), which is not searched where there is a "
            "session keyring, and is not linked into it: it is not found."
        )
        return Finding("user-session-not-linked", text, mends.link_user_session(case))
    if case.place == "persistent":
        text = (
            "It is in the persistent keyring, which is linked into no keyring of this process: "
            "it is not found."
        )
        return Finding("persistent-not-linked", text, mends.get_persistent(case))
    return _elsewhere(case)


def _blocked(case: Case) -> Finding:
    text = f"It is not found, because {case.blocker} gives no search permission."
    if case.blockers:
        return Finding("no-search", text, mends.let_search(case))
    if case.blocker != "it":
        text += "  This process has no permission to change that."
        return Finding("no-search", text)
    text += "  No process can change that: create the key again."
    return Finding("no-search", text, _replacing(case))


def _elsewhere(case: Case) -> Finding:
    if case.place == "session":
        text = (
            f"It is in the session keyring of another login or process of {case.user}, and in "
            "no keyring of this one: it is not found."
        )
    elif case.place:
        text = (
            f"It is in keyring {case.place_name}, and in no keyring of this process: "
            "request_key(2) does not find it."
        )
    else:
        text = "It is in no keyring of this process: request_key(2) does not find it."
        if case.dark:
            text += f"  Keyring {case.dark}, in which it may be, gives no search permission."
    if case.state != "hidden" and case.bits & LINK:
        if (case.bits | case.possessor_bits) & SEARCH:
            return Finding("elsewhere", text, mends.link_key(case))
        text += (
            "  It gives no search permission, and would not be found where it is linked either."
        )
    there = mends.link_from_there(case)
    if there:
        text += "  A process that possesses it can link it into the user keyring (@u)."
    elif case.place == "session" or case.state == "hidden":
        text += "  A process that possesses it can link it into a keyring that is found here."
    return Finding("elsewhere", text, there=there)
