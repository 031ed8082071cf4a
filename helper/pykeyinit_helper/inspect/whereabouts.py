"""Find a key in a tree, and what is between it and the process."""

import re
from typing import NamedTuple

from pam_pykeyinit.kernel.listing import Row
from pykeyinit_helper.inspect import permissions, verdict
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.inspect.permissions import SEARCH
from pykeyinit_helper.inspect.tree import MOST_KEYRINGS, SEARCHED, Key, Tree

# What /proc/keys prints after a description, by type; for other types it is unknown.
_SUMMARIES = {
    "user": r": \d+",
    "logon": r": \d+",
    "keyring": r": (empty|\d+)",
}
_LISTED = 9  # letters of a type in /proc/keys


class Place(NamedTuple):
    """A keyring of another process that contains a key."""

    kind: str  # one of _PLACES
    keyring: Key


_PLACES = ("persistent", "session", "other")  # the most useful first


def candidates(tree: Tree, asked: Asked) -> list[int]:
    """The keys of a type and a description; the ones that are found first come first."""
    head = asked.description.partition("\n")[0]
    for serial, row in tree.rows.items():
        if row.kind == asked.kind[:_LISTED] and row.text.startswith(head):
            tree.walk(serial)
    named = [key.serial for key in tree.keys.values() if _is_named(tree, key, asked)]
    anchors = [tree.anchors[name] for name in SEARCHED]

    def rank(serial: int) -> tuple[bool, int, int]:
        path = tree.paths.get(serial)
        if path is None:
            return serial not in tree.keys, len(anchors), 0
        return False, anchors.index(path[0]), len(path)

    return sorted(named, key=rank)


def _is_named(tree: Tree, key: Key, asked: Asked) -> bool:
    if key.kind:
        return (key.kind, key.description) == (asked.kind, asked.description)
    row = tree.rows.get(key.serial)
    return row is not None and could_be(row, asked)


def could_be(row: Row, asked: Asked) -> bool:
    """Whether a row of /proc/keys may be that key; a dead key cannot be described."""
    if row.kind != asked.kind[:_LISTED]:
        return False
    line, more, _ = asked.description.partition("\n")
    if more:
        return row.text == line
    summary = _SUMMARIES.get(asked.kind, "(: .*)?")
    return re.fullmatch(f"{re.escape(line)}({summary})?", row.text) is not None


def way(tree: Tree, root: int | str, serial: int) -> list[Key]:
    """The keyrings from a root down to a key, whatever their permissions; empty: none."""
    if not isinstance(root, int) or root not in tree.keys:
        return []
    seen = {root}
    waiting = [[tree.keys[root]]]
    while waiting:
        steps = waiting.pop(0)
        if steps[-1].serial == serial:
            return steps
        fresh = [link for link in steps[-1].links if link not in seen]
        seen.update(fresh)
        waiting += [[*steps, tree.keys[link]] for link in fresh]
    return []


def hindrances(tree: Tree, serial: int) -> tuple[list[Key], Key | None]:
    """The keys without search permission on the way; or the last keyring that is searched."""
    for name in SEARCHED:
        steps = way(tree, tree.anchors[name], serial)
        silent = [
            step for step in steps[1:]
            if step.kind and not step.bits(tree.who, possessed=True) & SEARCH
        ]  # fmt: skip
        if silent:
            return silent, None
        if len(steps) > MOST_KEYRINGS + 1:
            return [], steps[MOST_KEYRINGS - 1]
    return [], None


def holders(tree: Tree, serial: int) -> list[Key]:
    """The known keyrings that link to it."""
    return [key for key in tree.keys.values() if serial in key.links]


def dark(tree: Tree) -> list[Key]:
    """Reachable keyrings without search and read permission: their content is unknown."""
    reached = {link for serial in tree.paths for link in tree.keys[serial].links}
    return [
        key
        for serial in sorted(reached - set(tree.paths))
        if (key := tree.keys[serial]).kind == "keyring" and key.error
    ]


def found_through(tree: Tree, asked: Asked, serial: int) -> tuple[int, ...]:
    """The path to a found key through a keyring without read permission; () if unknown."""
    for ring, path in sorted(tree.paths.items(), key=lambda item: len(item[1])):
        key = tree.keys[ring]
        if key.kind == "keyring" and key.error:
            found, _ = verdict.search(ring, asked.kind, asked.description)
            if found == serial:
                return (*path, serial)
    return ()


def elsewhere(tree: Tree, serial: int) -> Place | None:
    """The place of a key that is below no anchor, according to /proc/keys."""
    for number, row in tree.rows.items():
        if row.kind == "keyring":
            tree.walk(number)
    tops, seen, waiting = [], {serial}, [serial]
    while waiting:
        above = [key for key in holders(tree, waiting.pop()) if key.serial not in seen]
        seen.update(key.serial for key in above)
        waiting += [key.serial for key in above]
        tops += [_place(tree, key) for key in above if not holders(tree, key.serial)]
    tops.sort(key=lambda place: _PLACES.index(place.kind))
    return tops[0] if tops else None


def _place(tree: Tree, top: Key) -> Place:
    if top.description == f"_persistent.{tree.who.uid}":
        return Place("persistent", top)
    mine = top.uid == tree.who.uid and top.description == "_ses"
    return Place("session" if mine else "other", top)


def may(tree: Tree, key: Key, bit: int) -> bool:
    """Whether the process has a permission on a key, possessed or not."""
    return bool(key.bits(tree.who, possessed=key.serial in tree.paths) & bit)


def share(tree: Tree, key: Key) -> tuple[str, int]:
    """The class of the process for a key without possession, and its permissions."""
    return permissions.share(key.mask, key.uid, key.gid, tree.who)
