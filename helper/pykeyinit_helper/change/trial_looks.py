"""The keyrings that `try` prints, most of them read in a process of its own."""

import contextlib
import itertools
from collections.abc import Sequence
from typing import Any

from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import keyctl
from pykeyinit_helper.inspect.show import text
from pykeyinit_helper.inspect.tree import Tree
from pykeyinit_helper.output import Style, user_name


def keyrings(when: str) -> dict[str, Any]:
    """The session and user keyrings as this process finds them."""
    tree = Tree().read(("@s", "@u"))
    session = tree.anchors["@s"]
    return {
        "when": when,
        "lines": text(tree, ["@s", "@u"], [], Style(colour=False)),
        "session": session,
        "stand_in": tree.is_stand_in(),
        "owner": user_name(tree.keys[session].uid) if isinstance(session, int) else "",
        "keys": sorted(tree.keys),
    }


def stored() -> dict[str, Any]:
    """The session keyring's keys, and what is linked into the keyring itself.

    Not for a user-session keyring: other programs of the user link into it at the same time.
    """
    tree = Tree().read(("@s",))
    session = tree.anchors["@s"]
    links = tree.keys[session].links if isinstance(session, int) else []
    alone = {} if tree.is_stand_in() else {"session": session, "links": links}
    return {"stored": _keys(tree), **alone}


def take_back(seen: Sequence[dict[str, Any]]) -> None:
    """Unlink what a trial has put into the caller's session keyring.

    seen    what stored() gave, before the first module that stores keys and after it
    """
    looks = [message for message in seen if "links" in message]
    for before, after in itertools.pairwise(looks):
        if after["session"] == before["session"]:
            for key in {*after["links"]} - {*before["links"]}:
                with contextlib.suppress(syscalls.KernelError):  # it may be gone already
                    keyctl.unlink(key, after["session"])


class Displaced:
    """A session keyring for keys that are stored first; it can be read after it was displaced.

    A line that always makes a keyring does so whatever there was.  What a module has stored
    before it, within one call of pam_setcred(3), would be gone without a trace.
    """

    def __init__(self) -> None:
        self._keyring = syscalls.join_anonymous_session()
        keyctl.link(self._keyring, syscalls.THREAD_KEYRING)

    def stored(self) -> dict[str, Any]:
        """Return its keys, and release it."""
        tree = Tree()
        tree.walk(self._keyring)
        keyctl.unlink(self._keyring, syscalls.THREAD_KEYRING)
        return {"stored": _keys(tree)}


def _keys(tree: Tree) -> dict[str, str]:
    """Their descriptions, by serial number."""
    return {
        str(key.serial): f"{key.kind}:{key.description}"
        for key in tree.keys.values()
        if key.kind != "keyring"
    }


def after() -> dict[str, Any]:
    """The state of the session keyring."""
    tree = Tree()
    session = tree.anchors["@s"]
    if tree.is_stand_in():
        return {"after": "none of its own"}
    return {"after": keyctl.DEAD.get(str(session), "still alive")}
