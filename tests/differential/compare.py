"""Compare the effects of our module and of pam_keyinit.

pam_keyinit keeps its state in the process.  Here every handle loads its own copy, under its own
file name, and so has its own state, as with our module.

Only the differences that are listed here are allowed; DIFFERENCES in pam_pykeyinit(8) documents
them for administrators.  tests/module/test_differences.py shows each, both behaviours side by
side.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from support.drive import Outcome, Step

PAM_SUCCESS = 0
PAM_CRED_ERR = 17

SAVED_GROUP = "the saved group id is as before; pam_keyinit leaves the user's"
DISPLACED = "a keyring that is not this thread's any more is revoked; pam_keyinit fails, silently"
LEFT_OPEN = "a later handle revokes what an ended one left open; pam_keyinit has forgotten it"


@dataclass
class Comparison:
    """The differences of one sequence: the intended ones by name, the others in words."""

    wanted: set[str] = field(default_factory=set)
    unwanted: list[str] = field(default_factory=list)


def _named(outcome: Outcome) -> list[tuple[Step, dict[str, Any]]]:
    """Each step with its keyrings named by the order of their first appearance."""
    names: dict[int, str] = {}
    named = []
    for step in outcome.steps:
        for serial in step.keyrings:
            names.setdefault(serial, f"keyring{len(names)}")
        session = dict(step.session)
        if "serial" in session:
            session["serial"] = names.get(session["serial"], "unknown")
        states = {names[serial]: state for serial, state in step.keyrings.items()}
        named.append((step, {"session": session, "keyrings": states}))
    return named


def compare(ours: Outcome, theirs: Outcome, *, threads: bool) -> Comparison:
    """Compare codes, ids and keyrings after every call.

    Stop at a keyring that only our module revoked if it is in place: the calls that follow find
    a live keyring there and a dead one here.  With threads, another thread may have it in place.
    """
    found = Comparison()
    if len(ours.steps) != len(theirs.steps):
        found.unwanted.append(f"{len(ours.steps)} steps, {len(theirs.steps)} of pam_keyinit")
    before = ours.steps[0].ids
    released: set[str] = set()  # revoked only by our module
    opens: Counter[int] = Counter()  # of each handle, without those that it has closed
    for (our, our_view), (their, their_view) in zip(_named(ours), _named(theirs), strict=False):
        where = f"after {our.call} {our.handle}"
        if our.ids != before:
            found.unwanted.append(f"{where}: ids {our.ids}, at first {before}")
        if their.ids != before:
            if their.ids[:5] == before[:5]:
                found.wanted.add(SAVED_GROUP)
            else:
                found.unwanted.append(f"{where}: pam_keyinit has changed ids: {their.ids}")

        now = _revoked_by_us_alone(our_view, their_view) - released
        if our.call == "end":
            del opens[our.handle]
        opens[our.handle] += {"open": 1, "close": -1}.get(our.call, 0)
        in_place = their_view["session"].get("serial")
        if our.call == "close" and opens[our.handle] < 0 and in_place in now:
            found.wanted.add(LEFT_OPEN)
            break
        if now:
            released |= now
            found.wanted.add(DISPLACED)
        code = our.code
        if now and our.call == "delete" and their.code == PAM_CRED_ERR:
            code = PAM_CRED_ERR  # what pam_keyinit returns if it cannot revoke
        if code != their.code:
            found.unwanted.append(f"{where}: code {our.code}, pam_keyinit {their.code}")

        for name in released:
            their_view["keyrings"][name] = our_view["keyrings"][name]
        if our_view != their_view:
            found.unwanted.append(f"{where}: {our_view}, pam_keyinit {their_view}")
        if released and threads:
            break
    return found


def _revoked_by_us_alone(ours: dict[str, Any], theirs: dict[str, Any]) -> set[str]:
    """Keyrings that are revoked here and alive there."""
    return {
        name
        for name, state in ours["keyrings"].items()
        if state == "EKEYREVOKED" and theirs["keyrings"].get(name) == "live"
    }
