"""Print what a process of the user sees, as lines of JSON.  Run by demo.py.

It leaves a process behind, as a user's background job does.  That one looks again when it
is told to: when the session it came from is closed.
"""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import keyutils

from pam_pykeyinit.kernel import syscalls

KEY = b"demo:colour"
VALUE = b"green"


def tree(serial: int) -> dict[str, Any]:
    """A key, and if it is a keyring what is linked into it."""
    kind, owner, group, permissions, name = keyutils.describe_key(serial).decode().split(";", 4)
    links = keyutils.read_key(serial) if kind == "keyring" else b""
    return {
        "serial": serial,
        "name": name,
        "owner": int(owner),
        "group": int(group),
        "permissions": int(permissions, 16),
        "links": [
            tree(int.from_bytes(links[at : at + 4], sys.byteorder))
            for at in range(0, len(links), 4)
        ],
    }


def session() -> dict[str, Any]:
    """The session keyring; or, if it cannot be had, why not."""
    try:
        return tree(syscalls.get_keyring_id(syscalls.SESSION_KEYRING))
    except syscalls.KernelError as error:
        return {"error": errno.errorcode[error.errno or 0]}


def found(keyring: int) -> str:
    """What the key holds if it is searched for in a keyring; otherwise the error's name."""
    try:
        key = keyutils.search(keyring, KEY)
        return bytes(keyutils.read_key(key)).decode() if key else "ENOKEY"
    except keyutils.Error as error:
        return errno.errorcode[error.args[0]]


def say(**seen: Any) -> None:
    """One look, as a line."""
    print(json.dumps({"ids": os.getresuid() + os.getresgid(), **seen}), flush=True)


def within() -> None:
    """Add a key to the user keyring, and see whether the session keyring leads to it."""
    keyutils.add_key(KEY, VALUE, keyutils.KEY_SPEC_USER_KEYRING)
    say(session=session(), through_session=found(keyutils.KEY_SPEC_SESSION_KEYRING))


def afterwards() -> None:
    """Look again, and take the key away: it outlives sessions."""
    key = keyutils.search(keyutils.KEY_SPEC_USER_KEYRING, KEY)
    say(session=session(), in_user_keyring="still there" if key else "ENOKEY")
    if key:
        keyutils.unlink(key, keyutils.KEY_SPEC_USER_KEYRING)


def in_background(work: Callable[[], None]) -> None:
    """Fork; the child waits for a line of standard input, while the parent may end."""
    if os.fork() == 0:
        sys.stdin.readline()
        work()


signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody listens any more: end quietly
within()
in_background(afterwards)
