"""Which session keyring a program is to run with.  Pure: a table.

The rules of the fallback are user-session-keyring(7)'s: it is the substitute for programs
that came by a way which never saw PAM, and root should rather have a keyring of its own.
"""

# What was found in place of the session keyring.  Asking for it installs the user-session
# keyring where there was none (lookup_user_key in the kernel), so both look alike.
USER_SESSION = "user-session"
OWN = "own"  # live, and the target user's
FOREIGN = "foreign"  # live, and somebody else's
DEAD = "dead"  # revoked, expired or invalidated

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

FOUND = (USER_SESSION, OWN, FOREIGN, DEAD)
ASKED = (FALLBACK, KEEP, NEW, USER_SESSION, NAMED)

_TABLE = {
    #           found: @us or none  own                foreign            dead
    FALLBACK: (LEAVE, LEAVE, JOIN_NEW, JOIN_NEW),
    KEEP: (LEAVE, LEAVE, LEAVE, LEAVE),
    NEW: (JOIN_NEW, JOIN_NEW, JOIN_NEW, JOIN_NEW),
    USER_SESSION: (LEAVE, JOIN_USER_SESSION, JOIN_USER_SESSION, JOIN_USER_SESSION),
    NAMED: (JOIN_NAMED, JOIN_NAMED, JOIN_NAMED, JOIN_NAMED),
}

# What can be linked into a session keyring: --link.
USER = "user"
PERSISTENT = "persistent"
LINKS = (USER, USER_SESSION, PERSISTENT)


def action(found: str, asked: str, uid: int) -> str:
    """What to do for a program that is to run as `uid`."""
    if uid == 0 and asked == FALLBACK and found == USER_SESSION:
        return JOIN_NEW
    return _TABLE[asked][FOUND.index(found)]


def links(done: str, asked: str, uid: int) -> "tuple[str, ...]":
    """What is linked into the session keyring where --link does not say it.

    A new one that was asked for, or is root's, is as pam_keyinit(8) makes it.  One that
    stands in for the user-session keyring leads to that one as well.
    """
    if done == JOIN_NAMED or (done == JOIN_NEW and (asked == NEW or uid == 0)):
        return (USER,)
    if done == JOIN_NEW:
        return (USER_SESSION, USER)
    return ()


def state(kind: str, uid: int, description: str, target: int) -> str:
    """What a live session keyring is to a target user, by what keyctl(DESCRIBE) tells."""
    if kind != "keyring" or uid != target:
        return FOREIGN
    return USER_SESSION if description == f"_uid_ses.{target}" else OWN
