"""Which session keyring a program is to run with.  Pure: a table.

A program that came by a way which never saw PAM has the user-session keyring, by
user-session-keyring(7), or somebody else's session keyring.  The former finds all that it
should; but what is added to it as @s is lost, for the kernel answers each such write by
joining a new, empty session keyring (KEY_FLAG_UID_KEYRING in lookup_user_key).  So by
default the program gets a session keyring of its own that leads to the user-session keyring.
"""

# What was found in place of the session keyring.  Asking for it installs the user-session
# keyring where there was none (lookup_user_key in the kernel), so both look alike.
USER_SESSION = "user-session"
OWN = "own"  # live, and the target user's
FOREIGN = "foreign"  # live, and somebody else's
DEAD = "dead"  # revoked, expired or invalidated
OUTER = "outer"  # the user-session keyring of a user namespace around this one
NONE = "none"  # there is none, nor can user keyrings be made
UNKNOWN = "unknown"  # the kernel does not say

# What was asked for: --session.  USER_SESSION is both something found and something asked.
FALLBACK = "fallback"
KEEP = "keep"
NEW = "new"
NAMED = "named"

# What is to be done.
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

# What can be linked into a session keyring: --link.
USER = "user"
PERSISTENT = "persistent"
LINKS = (USER, USER_SESSION, PERSISTENT)


def action(found: str, asked: str) -> str:
    """What to do where this was found and that was asked for."""
    if (asked, found) in ((FALLBACK, OWN), (USER_SESSION, USER_SESSION)):
        return LEAVE
    return _OTHERWISE[asked]


def links(done: str, asked: str, wanted: "tuple[str, ...] | None") -> "tuple[str, ...]":
    """What is linked into the session keyring, by what --link says, if anything.

    A new one that was asked for is as pam_keyinit(8) makes it.  One that stands in for the
    user-session keyring leads to that one, and to the user keyring even where somebody has
    taken it out of there.  The persistent keyring comes beside them: it never costs a
    program the keys of its user.
    """
    if done == JOIN_NEW and asked != NEW:
        default: tuple[str, ...] = (USER_SESSION, USER)
    else:
        default = (USER,) if done in (JOIN_NEW, JOIN_NAMED) else ()
    if wanted is None:
        return default
    return (*default, PERSISTENT) if wanted == (PERSISTENT,) else wanted


def state(kind: str, uid: int, description: str, target: int) -> str:
    """What a live session keyring is to a target user, by what keyctl(DESCRIBE) tells."""
    if kind != "keyring" or uid != target:
        return FOREIGN
    return USER_SESSION if description == f"_uid_ses.{target}" else OWN
