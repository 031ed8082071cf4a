"""`pykeyinit-helper show`: the keyrings of this process, for people and as JSON."""

import json
import pwd
import sys
from typing import Any

from pam_pykeyinit import quota
from pam_pykeyinit.log import printable
from pykeyinit_helper import dot, permissions
from pykeyinit_helper.output import Style
from pykeyinit_helper.tree import ANCHORS, Key, Tree

SCHEMA = 1

_HEADER = "    SERIAL OWNER    POSSESS USER   GROUP  OTHER  EXPIRES   KEY"

_ABSENT = {
    "ENOKEY": "none; the kernel makes it when something is put into it",
    "EKEYREVOKED": "revoked; nothing is found in it (pykeyinit-helper adopt)",
    "EKEYEXPIRED": "expired; nothing is found in it (pykeyinit-helper adopt)",
    "ENOSYS": "keyctl(2) is not to be had: no keyrings in this kernel, or a seccomp filter",
    "EPERM": "keyctl(2) is refused, by a seccomp filter or a security module",
    "EACCES": "it gives no search permission, or keyctl(2) is refused by a security module",
    "EDQUOT": "cannot be made: the key quota is used up",
}


def owner(uid: int) -> str:
    """The name of a uid, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def text(tree: Tree, names: list[str], roots: list[int], style: Style) -> list[str]:
    """The lines for people: the keyrings behind anchors, then those below other roots."""
    lines = [style.dim(_HEADER)]
    shown: set[int] = set()
    for name in names:
        serial = tree.anchors[name]
        title = f"{name:3} {ANCHORS[name][1]} keyring"
        if isinstance(serial, str):
            mark = style.plain if serial == "ENOKEY" else style.alarm
            lines.append(f"{style.bold(title)}: {mark(_ABSENT.get(serial, serial))}")
            continue
        if name == "@s" and tree.is_stand_in():
            title += ": none of its own, the user-session keyring stands in"
        lines.append(style.bold(title))
        lines += _branch(tree, serial, shown, style)
    for root in roots:
        lines += _branch(tree, root, shown, style)
    lines += _notes(tree, names, shown)
    used = quota.read(tree.who.uid)
    if used is not None:
        whose = f"Quota of {owner(tree.who.uid)}"
        lines.append(f"{whose}: {used[0]} of {used[1]} keys, {used[2]} of {used[3]} bytes")
    return lines


def _branch(tree: Tree, root: int, shown: set[int], style: Style) -> list[str]:
    lines = []
    waiting = [(root, 0)]
    while waiting:
        serial, depth = waiting.pop()
        key = tree.keys[serial]
        again = serial in shown and bool(key.links)
        lines.append(_row(tree, key, depth, again, style))
        if serial not in shown:
            shown.add(serial)
            waiting += [(link, depth + 1) for link in reversed(key.links)]
    return lines


def _row(tree: Tree, key: Key, depth: int, again: bool, style: Style) -> str:
    possessed = "*" if key.serial in tree.paths else " "
    indent = "   " * (depth - 1) + "\\_ " if depth else ""
    if key.error and not key.kind:
        reason = {"EKEYREVOKED": "revoked", "EKEYEXPIRED": "expired", "ENOKEY": "gone"}
        why = reason.get(key.error, f"hidden from this process ({key.error})")
        return f"{key.serial:10} {'':54}{possessed} {indent}{style.alarm(why)}"
    shares = [permissions.letters(key.mask >> shift & permissions.ALL) for shift in (24, 16, 8, 0)]
    name = f"{key.kind}: {printable(key.description)}"
    more = " (see above)" if again else f" (content: {key.error})" if key.error else ""
    if key.tag:
        more = f": {printable(key.tag)}"
    expires = key.expires or "unknown"
    return (
        f"{key.serial:10} {owner(key.uid)[:8]:8} {shares[0]}  {' '.join(shares[1:])} "
        f"{expires[:8]:8}{possessed} {indent}{name}{style.dim(more)}"
    )


def _notes(tree: Tree, names: list[str], shown: set[int]) -> list[str]:
    found = not shown.isdisjoint(tree.paths)
    lines = ["* possessed: request_key(2) of this process finds it"] if found else []
    user, session = tree.anchors["@u"], tree.anchors["@s"]
    if "@u" in names and isinstance(user, int) and user not in tree.paths:
        if isinstance(session, int):
            lines.append("Missing: @u is not found through @s (keyctl link @u @s)")
        else:
            lines.append("Missing: @u is not found, for there is no live @s")
    return lines


def document(tree: Tree, roots: list[int]) -> dict[str, Any]:
    """The same for programs.  pykeyinit-helper(8) documents it; SCHEMA changes with it."""
    anchors = {}
    for name, (_, word) in ANCHORS.items():
        serial = tree.anchors[name]
        live = isinstance(serial, int)
        anchors[word] = {
            "serial": serial if live else None,
            "error": None if live else serial,
            "created_on_demand": serial == "ENOKEY",
        }
    used = quota.read(tree.who.uid)
    names = ("keys_used", "keys_allowed", "bytes_used", "bytes_allowed")
    return {
        "schema": SCHEMA,
        "uid": tree.who.uid,
        "user": owner(tree.who.uid),
        "keyrings": anchors,
        "user_session_stands_in": tree.is_stand_in(),
        "keys": [_entry(tree, tree.keys[serial]) for serial in sorted(tree.below(roots))],
        "quota": dict(zip(names, used, strict=True)) if used else None,
    }


def _entry(tree: Tree, key: Key) -> dict[str, Any]:
    shares = ("possessor", 24), ("user", 16), ("group", 8), ("other", 0)
    seen = bool(key.kind)
    return {
        "serial": key.serial,
        "error": key.error or None,
        "type": key.kind or None,
        "description": key.description if seen else None,
        "uid": key.uid if seen else None,
        "owner": owner(key.uid) if seen else None,
        "gid": key.gid if seen else None,
        "permissions": {
            name: permissions.letters(key.mask >> shift & permissions.ALL)
            for name, shift in shares
        } if seen else None,
        "expires": key.expires,
        "possessed": key.serial in tree.paths,
        "path": list(tree.paths.get(key.serial, ())),
        "links": key.links,
        "tag": key.tag or None,
    }  # fmt: skip


def show(which: str | None, *, as_json: bool, as_dot: bool = False) -> int:
    """Print it; the exit status, 1 where the keyring that was asked for is not to be had."""
    tree = Tree().read()  # all of it: what is possessed, is so by way of any of them
    names, roots, code = list(ANCHORS), [], 0
    if which in ANCHORS:
        names = [which]
        code = 0 if isinstance(tree.anchors[which], int) else 1
    elif which is not None:
        names, roots = [], [int(which)]
        tree.walk(roots[0])
        code = 1 if tree.keys[roots[0]].error and not tree.keys[roots[0]].kind else 0
    behind = [serial for name in names if isinstance(serial := tree.anchors[name], int)]
    if as_json:
        print(json.dumps(document(tree, behind + roots), indent=2))
    elif as_dot:
        print(dot.text(tree, names, behind + roots))
    else:
        sys.stdout.write("\n".join(text(tree, names, roots, Style.of(sys.stdout))) + "\n")
    return code
