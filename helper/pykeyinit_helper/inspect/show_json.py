"""The output of `show --json`.  pykeyinit-helper(8) documents it."""

from typing import Any

from pam_pykeyinit.policies import quota
from pykeyinit_helper.inspect import permissions
from pykeyinit_helper.inspect.tree import ANCHORS, Key, Tree
from pykeyinit_helper.output import user_name

SCHEMA = 1  # changes if a member is removed or changes its meaning


def document(tree: Tree, roots: list[int]) -> dict[str, Any]:
    """The keyrings of this process, and the keys below some roots."""
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
        "user": user_name(tree.who.uid),
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
        "owner": user_name(key.uid) if seen else None,
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
