"""What `try` sees of keyrings, each time in a process that ends with it."""

from typing import Any

from pykeyinit_helper.inspect.facts import owner
from pykeyinit_helper.inspect.show import text
from pykeyinit_helper.inspect.tree import Tree
from pykeyinit_helper.output import Style

_AFTER = {"EKEYREVOKED": "revoked", "EKEYEXPIRED": "expired", "ENOKEY": "gone"}


def keyrings(when: str) -> dict[str, Any]:
    """The session and user keyrings as this process finds them."""
    tree = Tree().read(("@s", "@u"))
    session = tree.anchors["@s"]
    return {
        "when": when,
        "lines": text(tree, ["@s", "@u"], [], Style(colour=False)),
        "session": session,
        "stand_in": tree.is_stand_in(),
        "owner": owner(tree.keys[session].uid) if isinstance(session, int) else "",
        "keys": sorted(tree.keys),
    }


def stored() -> dict[str, str]:
    """The keys in the session keyring, by serial number: what they are."""
    tree = Tree().read(("@s",))
    return {
        str(key.serial): f"{key.kind}:{key.description}"
        for key in tree.keys.values()
        if key.kind != "keyring"
    }


def after() -> dict[str, Any]:
    """What has become of the session keyring."""
    tree = Tree()
    session = tree.anchors["@s"]
    if tree.is_stand_in():
        return {"after": "none of its own"}
    return {"after": _AFTER.get(str(session), "still alive")}
