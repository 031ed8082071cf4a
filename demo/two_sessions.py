"""Two PAM sessions in one process, one inside the other, and their keyrings.

Run by demo.py, as root: SERVICE USER OTHER.  Prints a line of JSON.
"""

import ctypes
import ctypes.util
import json
import os
import pwd
import sys
from typing import Any

import keyutils

from pam_pykeyinit.kernel import syscalls

_PAM = ctypes.PyDLL(ctypes.util.find_library("pam"))


class _Conversation(ctypes.Structure):
    """pam_conv(3), without any prompt."""

    _fields_ = (("function", ctypes.c_void_p), ("data", ctypes.c_void_p))


class Session:
    """A PAM handle with an open session."""

    def __init__(self, service: str, user: str) -> None:
        """Open it; `keyring` is its session keyring."""
        self._user = user
        self._handle, self._talk = ctypes.c_void_p(), _Conversation()
        into, talk = ctypes.byref(self._handle), ctypes.byref(self._talk)
        self._check(_PAM.pam_start(service.encode(), user.encode(), talk, into))
        self._check(_PAM.pam_open_session(self._handle, 0))
        self.keyring = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)

    def owner(self) -> str:
        """The owner of its keyring."""
        uid = int(keyutils.describe_key(self.keyring).split(b";")[1])
        return pwd.getpwuid(uid).pw_name

    def is_revoked(self) -> bool:
        """Whether the keyring is revoked."""
        os.seteuid(pwd.getpwnam(self._user).pw_uid)  # root may not look at it
        try:
            keyutils.read_key(self.keyring)
        except keyutils.Error as error:
            return bool(error.args[0] == keyutils.EKEYREVOKED)
        finally:
            os.seteuid(0)
        return False

    def close(self) -> None:
        """Close the session, and end the handle."""
        self._check(_PAM.pam_close_session(self._handle, 0))
        self._check(_PAM.pam_end(self._handle, 0))

    def _check(self, code: int) -> None:
        if code != 0:
            sys.exit(f"PAM gives {code}")


def look(service: str, user: str, other: str) -> dict[str, Any]:
    """The second session belongs to `other`; that of `user` is closed first."""
    first = Session(service, user)
    second = Session(service, other)
    seen = {"second is": second.owner(), "two keyrings": first.keyring != second.keyring}
    first.close()
    seen["first is revoked at its close"] = first.is_revoked()
    second.close()
    seen["second is revoked at its close"] = second.is_revoked()
    return seen


print(json.dumps(look(*sys.argv[1:])))
