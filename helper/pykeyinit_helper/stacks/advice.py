"""The notes of `enable` before a change, and the services that it does not change.  Pure."""

from collections.abc import Sequence
from difflib import get_close_matches

from pykeyinit_helper.stacks import effect
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.ours import is_fresh

# Their programs never call pam_open_session(3).
_NO_SESSIONS = frozenset("chfn chpasswd chsh cups newusers passwd polkit-1 ppp saslauthd".split())
# They run a program as another user in the caller's session: pam_keyinit(8).
_IN_A_SESSION = frozenset("doas op pkexec runuser su sudo".split())


def refusal(service: str) -> str:
    """Why a service cannot be enabled, or ""."""
    if service == "other":
        return "every program without a file of its own uses it: enable the services of logins"
    if service in _NO_SESSIONS:
        return "its program begins no session, and so no session line is ever used"
    return ""


def instead(service: str, names: Sequence[str]) -> str:
    """For a missing service: a command for services that may be meant, or ""."""
    meant = [name for name in names if name.startswith(f"{service}-")]
    meant = meant or get_close_matches(service, names, 1, cutoff=0.75)
    return f"; if {meant[0]} is meant: pykeyinit-helper enable {meant[0]}" if meant else ""


def notes(before: Stack, after: Stack) -> list[str]:
    """Changes that users of a service may not expect."""
    service, words = after.service, effect.words(after)
    if service not in _IN_A_SESSION:
        return []
    had, reported = effect.words(before), []
    if is_fresh(words) and not is_fresh(had):
        reported.append(
            f"programs that {service} starts no longer find the caller's keys: they have a "
            f"session keyring of their own; most systems do not use this for {service}"
        )
    if "revoke" in words and is_fresh(words) and "revoke" not in had:
        reported.append(
            f"processes that {service} leaves running have a revoked keyring when {service} "
            "ends; to keep it: pykeyinit-helper enable --options 'force revoke=never' "
            f"{service} (or for ten minutes: revoke=10m)"
        )
    return reported
