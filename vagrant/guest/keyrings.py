"""Parse the output of a probe, and the kernel's list of keys."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List

Seen = Dict[str, Any]

_SHOWN = re.compile(
    r"^ *(?P<serial>\d+) (?P<permissions>\S+) +(?P<uid>-?\d+) +(?P<gid>-?\d+)"
    r"  (?P<depth>[ \\_]*)(?P<type>\w+): (?P<description>.*)$"
)


def parse(text: str) -> Seen:
    """The output of probe.sh: ids, home, session keyring, its links, the result of a request."""
    seen: Seen = {"links": [], "tree": []}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("Uid:", "Gid:"):
            seen[word[:3].lower()] = [int(number) for number in rest.split()]
        elif word in ("NoNewPrivs:", "Seccomp:", "CapBnd:"):
            seen[word[:-1]] = int(rest, 16)
        elif word in ("home", "request", "session", "context", "label"):
            seen[word] = rest
        elif word == "show":
            seen["tree"].append(rest)
            shown = _SHOWN.match(rest)
            if shown and "serial" not in seen:
                seen["serial"] = int(shown["serial"])
            elif shown and not shown["description"].startswith("vm:"):  # another probe's
                seen["links"].append(f"{shown['type']}: {shown['description']} of {shown['uid']}")
    return seen


def of_user(uid: int) -> List[Dict[str, Any]]:
    """The remaining session keyrings of a user, as the user sees them.

    /proc/keys does not show a keyring of another user, not even to root.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            with open("/proc/keys") as keys, open(writer, "w") as out:
                out.write(keys.read())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as text:
        fields = [line.split() for line in text]
    os.waitpid(child, 0)
    return [
        {"serial": int(field[0], 16), "revoked": "R" in field[1], "uses": int(field[2])}
        for field in fields
        if int(field[5]) == uid and field[7] == "keyring" and field[8].startswith("_ses")
    ]
