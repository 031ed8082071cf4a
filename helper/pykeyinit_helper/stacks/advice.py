"""What `enable` says of a service before it changes it, and which it leaves alone.  Pure."""

from collections.abc import Sequence
from difflib import get_close_matches

from pykeyinit_helper.stacks import effect
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.ours import is_fresh

# Their programs begin no session: pam_open_session(3) is never called.
_NO_SESSIONS = frozenset("chfn chpasswd chsh cups newusers passwd polkit-1 ppp saslauthd".split())
# They run a program as somebody else in the session of who calls them: pam_keyinit(8).
_IN_A_SESSION = frozenset("doas op pkexec runuser su sudo".split())


def refusal(service: str) -> str:
    """Why a service is none to enable; "" if it may be one."""
    if service == "other":
        return "it serves every program that has no file of its own: enable those that log in"
    if service in _NO_SESSIONS:
        return "its program begins no session, and so no session line is ever used"
    return ""


def instead(service: str, names: Sequence[str]) -> str:
    """For a service that is not there: those that may be meant, as a command; or nothing."""
    meant = [name for name in names if name.startswith(f"{service}-")]
    meant = meant or get_close_matches(service, names, 1, cutoff=0.75)
    return f"; if {meant[0]} is meant: pykeyinit-helper enable {meant[0]}" if meant else ""


def notes(before: Stack, after: Stack) -> list[str]:
    """What changes for the users of a service, where that is not what they are used to."""
    service, words = after.service, effect.words(after)
    if service not in _IN_A_SESSION:
        return []
    had, reported = effect.words(before), []
    if is_fresh(words) and not is_fresh(had):
        reported.append(
            f"what {service} starts does not find the caller's keys any more: it has a session "
            f"keyring of its own; most systems leave {service} without"
        )
    if "revoke" in words and is_fresh(words) and "revoke" not in had:
        reported.append(
            f"what {service} leaves running has a revoked keyring when {service} ends; it keeps "
            f"it with: pykeyinit-helper enable --options 'force revoke=never' {service} (or for "
            "ten minutes: revoke=10m)"
        )
    return reported
