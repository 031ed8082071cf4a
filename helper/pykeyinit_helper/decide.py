"""Decide which session keyring a program gets.  Pure: a table.

A program that was started without PAM has the user-session keyring, user-session-keyring(7), or
another user's session keyring.  With the user-session keyring it finds all its keys, but keys
that it adds to @s are lost: for each such write the kernel joins a new, empty session keyring
(KEY_FLAG_UID_KEYRING in lookup_user_key).  Therefore by default the program gets a session
keyring of its own, with the user-session keyring linked into it.
"""

# The session keyring that is in place.  If there is none, asking for it installs the
# user-session keyring (lookup_user_key in the kernel), so both look the same.
USER_SESSION = "user-session"
OWN = "own"  # live, and the target user's
FOREIGN = "foreign"  # live, and another user's
DEAD = "dead"  # revoked, expired or invalidated
OUTER = "outer"  # the user-session keyring of a user namespace around this one
NONE = "none"  # there is none, and user keyrings cannot be created
UNKNOWN = "unknown"  # the kernel does not show it

# The value of --session.  USER_SESSION is also a state.
FALLBACK = "fallback"
KEEP = "keep"
NEW = "new"
NAMED = "named"

# The actions.
LEAVE = "leave"
JOIN_USER_SESSION = "join-user-session"
JOIN_NEW = "join-new"
JOIN_NAMED = "join-named"

FOUND = (USER_SESSION, OWN, FOREIGN, DEAD, OUTER, NONE, UNKNOWN)
ASKED = (FALLBACK, KEEP, NEW, USER_SESSION, NAMED)

_OTHERWISE = {
    FALLBACK: JOIN_NEW,
    KEEP: LEAVE,
    NEW: JOIN_NEW,
    USER_SESSION: JOIN_USER_SESSION,
    NAMED: JOIN_NAMED,
}

# The keyrings that can be linked into a session keyring: --link.
USER = "user"
PERSISTENT = "persistent"
LINKS = (USER, USER_SESSION, PERSISTENT)


def action(found: str, asked: str) -> str:
    """The action for a state and a value of --session."""
    if (asked, found) in ((FALLBACK, OWN), (USER_SESSION, USER_SESSION)):
        return LEAVE
    return _OTHERWISE[asked]


def links(done: str, asked: str, wanted: "tuple[str, ...] | None") -> "tuple[str, ...]":
    """The keyrings to link into the session keyring, for an action and --link.

    With --session new the links are those of pam_keyinit(8).  By default a new keyring leads to
    the user-session keyring, and to the user keyring, even if that was unlinked from the
    user-session keyring.  The persistent keyring is added to them, so that it never hides the
    keys of the user.
    """
    if done == JOIN_NEW and asked != NEW:
        default: tuple[str, ...] = (USER_SESSION, USER)
    else:
        default = (USER,) if done in (JOIN_NEW, JOIN_NAMED) else ()
    if wanted is None:
        return default
    return (*default, PERSISTENT) if wanted == (PERSISTENT,) else wanted


def state(kind: str, uid: int, description: str, target: int) -> str:
    """The state of a live session keyring for a target user, according to keyctl(DESCRIBE)."""
    if kind != "keyring" or uid != target:
        return FOREIGN
    return USER_SESSION if description == f"_uid_ses.{target}" else OWN
