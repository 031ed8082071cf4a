"""A program inside a login: it reads commands as lines, and answers each with a line of JSON.

look            the session keyring, its links, the ids
add NAME VALUE  a key in the user keyring
find NAME       search for it through the session keyring
leave FILE PATIENCE
                leave a process behind; when FILE.ask appears, it writes to FILE what
                became of its session keyring, at the latest after PATIENCE seconds
"""

import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import keyutils

from pam_pykeyinit.kernel import syscalls

Answer = dict[str, Any]


def look() -> Answer:
    """The session keyring of this process."""
    ids = os.getresuid() + os.getresgid()
    try:
        serial = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
        links = memoryview(keyutils.read_key(serial)).cast("i")
        return {
            "ids": ids,
            "serial": serial,
            "description": keyutils.describe_key(serial).decode(),
            "links": [keyutils.describe_key(link).decode() for link in links],
        }
    except syscalls.KernelError as error:
        return {"ids": ids, "error": errno.errorcode[error.errno or 0]}
    except keyutils.Error as error:  # revoked in the meantime
        return {"ids": ids, "error": errno.errorcode[error.args[0]]}


def add(name: str, value: str) -> Answer:
    """Add a key to the user keyring, which all sessions of the user share."""
    key = keyutils.add_key(name.encode(), value.encode(), keyutils.KEY_SPEC_USER_KEYRING)
    return {"serial": key}


def drop(name: str) -> Answer:
    """Unlink a key from the user keyring."""
    key = keyutils.search(keyutils.KEY_SPEC_USER_KEYRING, name.encode())
    keyutils.unlink(key, keyutils.KEY_SPEC_USER_KEYRING)
    return {"serial": key}


def find(name: str) -> Answer:
    """Search for a key like request_key(2), from the session keyring on."""
    key = keyutils.search(keyutils.KEY_SPEC_SESSION_KEYRING, name.encode())
    return {"value": keyutils.read_key(key).decode() if key else None}


def leave(file: str, patience: str) -> Answer:
    """Fork a process that outlives the login."""
    child = os.fork()
    if child:
        return {"pid": child}
    os.setsid()
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    end = time.monotonic() + 30
    while not Path(file + ".ask").exists() and time.monotonic() < end:
        time.sleep(0.01)
    end = time.monotonic() + float(patience)
    while "error" not in (seen := look()) and time.monotonic() < end:
        time.sleep(0.01)
    Path(file + ".part").write_text(json.dumps(seen))
    Path(file + ".part").rename(file)
    os._exit(0)


DOES = {"look": look, "add": add, "drop": drop, "find": find, "leave": leave}

for line in sys.stdin:
    name, *arguments = line.split()
    print(json.dumps(DOES[name](*arguments)), flush=True)  # type: ignore[operator] # noqa: T201
