"""Print what a process of the user sees, as lines of JSON.  Run by demo.py.

It leaves a background process, as a user's job does, which looks again on request, after its
session is closed.
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
    """A key, and if it is a keyring, its links."""
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
    """The session keyring, or the error."""
    try:
        return tree(syscalls.get_keyring_id(syscalls.SESSION_KEYRING))
    except syscalls.KernelError as error:
        return {"error": errno.errorcode[error.errno or 0]}


def found(keyring: int) -> str:
    """The content of the key if a search of a keyring finds it; otherwise the errno's name."""
    try:
        key = keyutils.search(keyring, KEY)
        return bytes(keyutils.read_key(key)).decode() if key else "ENOKEY"
    except keyutils.Error as error:
        return errno.errorcode[error.args[0]]


def say(**seen: Any) -> None:
    """Print one observation, as a line."""
    print(json.dumps({"ids": os.getresuid() + os.getresgid(), **seen}), flush=True)


def within() -> None:
    """Add a key to the user keyring, and check that a search from the session keyring finds it."""
    keyutils.add_key(KEY, VALUE, keyutils.KEY_SPEC_USER_KEYRING)
    say(session=session(), through_session=found(keyutils.KEY_SPEC_SESSION_KEYRING))


def afterwards() -> None:
    """Look again, and remove the key, which outlives sessions."""
    key = keyutils.search(keyutils.KEY_SPEC_USER_KEYRING, KEY)
    say(session=session(), in_user_keyring="still there" if key else "ENOKEY")
    if key:
        keyutils.unlink(key, keyutils.KEY_SPEC_USER_KEYRING)


def in_background(work: Callable[[], None]) -> None:
    """Fork; the child waits for a line of standard input, while the parent may end."""
    if os.fork() == 0:
        sys.stdin.readline()
        work()


signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if nothing reads the output
within()
in_background(afterwards)
