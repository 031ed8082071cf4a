"""The keyctl(2) calls that only the helper needs, beside those of pam_pykeyinit.keyctl."""

from pam_pykeyinit import sysnums
from pam_pykeyinit.kernel import _call
from pam_pykeyinit.keyctl import add_user_key, describe, get_persistent, join_named_session

__all__ = [
    "PROCESS_KEYRING",
    "add_user_key",
    "describe",
    "get_persistent",
    "join_named_session",
    "session_to_parent",
]

PROCESS_KEYRING = -2

_SESSION_TO_PARENT = 18


def session_to_parent() -> None:
    """Give the parent process this one's session keyring, keyctl_session_to_parent(3).

    It takes effect when the parent next returns to user space.
    """
    _call("keyctl(SESSION_TO_PARENT)", sysnums.KEYCTL, _SESSION_TO_PARENT)
