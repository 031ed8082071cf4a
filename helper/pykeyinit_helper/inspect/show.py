"""`pykeyinit-helper show`: the keyrings of this process, for people and as JSON."""

import json
import sys

from pam_pykeyinit.log import printable
from pam_pykeyinit.policies import quota
from pykeyinit_helper import keyctl
from pykeyinit_helper.inspect import dot, mends, permissions
from pykeyinit_helper.inspect.facts import about_process, refused
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.inspect.keynames import serial as serial_of
from pykeyinit_helper.inspect.show_json import document
from pykeyinit_helper.inspect.tree import ANCHORS, Key, Tree
from pykeyinit_helper.output import Mend, Style, fold, mend_lines, user_name, width

_HEADER = "    SERIAL {:{}} POSSESS USER   GROUP  OTHER  EXPIRES   KEY"
_OWNER = 8  # columns for an owner's name, and its maximum

_ROOM = 16  # columns that a readable name needs; otherwise it is moved to the left
_NARROW = 4

_ABSENT = {
    "ENOKEY": "none; the kernel makes it when something is put into it",
    "EKEYREVOKED": "revoked; nothing is found in it",
    "EKEYEXPIRED": "expired; using it fails with EKEYEXPIRED",
    "ENOSYS": "keyctl(2) is not to be had: no keyrings in this kernel, or a seccomp filter",
    "EPERM": "keyctl(2) is refused, by a seccomp filter or a security module",
    "EACCES": "it gives no search permission, or keyctl(2) is refused by a security module",
    "EDQUOT": "cannot be made: the key quota is used up",
}


def text(
    tree: Tree, names: list[str], roots: list[int], style: Style, owners: int = _OWNER
) -> list[str]:
    """The unfolded lines: the keyrings behind anchors, then other roots.

    `owners` is how many columns the names of owners take.
    """
    lines = [style.dim(_HEADER.format("OWNER", owners))]
    shown: set[int] = set()
    for name in names:
        serial = tree.anchors[name]
        title = f"{name:3} {ANCHORS[name][1]} keyring"
        if isinstance(serial, str):
            lines.append(f"{style.bold(title)}: {_absent(tree, name, serial, style)}")
            continue
        if name == "@s" and tree.is_stand_in():
            title += ": none of its own, the user-session keyring stands in"
        lines.append(style.bold(title))
        lines += _branch(tree, serial, shown, style, owners)
    for root in roots:
        lines += _branch(tree, root, shown, style, owners)
    lines += _notes(tree, names, shown)
    used = quota.read(tree.who.uid)
    if used is not None:
        whose = f"Quota of {user_name(tree.who.uid)}"
        lines.append(f"{whose}: {used[0]} of {used[1]} keys, {used[2]} of {used[3]} bytes")
    return lines


def _absent(tree: Tree, name: str, error: str, style: Style) -> str:
    if error == "ENOKEY" and name in ("@s", "@us", "@u"):
        invalidated = name == "@s" and isinstance(tree.anchors["@us"], int)
        what = "invalidated; nothing is found in it" if invalidated else "cannot be made"
        return style.alarm(what)
    mark = style.plain if error == "ENOKEY" else style.alarm
    return mark(_ABSENT.get(error, error))


def _branch(tree: Tree, root: int, shown: set[int], style: Style, owners: int) -> list[str]:
    lines = []
    waiting = [(root, 0)]
    while waiting:
        serial, depth = waiting.pop()
        key = tree.keys[serial]
        again = serial in shown and bool(key.links)
        lines.append(_row(tree, key, depth, style, owners, again=again))
        if serial not in shown:
            shown.add(serial)
            waiting += [(link, depth + 1) for link in reversed(key.links)]
    return lines


def _row(tree: Tree, key: Key, depth: int, style: Style, owners: int, *, again: bool) -> str:
    possessed = "*" if key.serial in tree.paths else " "
    indent = "   " * (depth - 1) + "\\_ " if depth else ""
    if key.error and not key.kind:
        why = keyctl.DEAD.get(key.error, f"hidden from this process ({key.error})")
        return f"{key.serial:10} {'':{46 + owners}}{possessed} {indent}{style.alarm(why)}"
    shares = [permissions.letters(key.mask >> shift & permissions.ALL) for shift in (24, 16, 8, 0)]
    name = f"{key.kind}: {printable(key.description)}"
    more = " (see above)" if again else f" (content: {key.error})" if key.error else ""
    if key.tag:
        more = f": {printable(key.tag)}"
    expires = key.expires or "unknown"
    owner = user_name(key.uid)[:owners]
    return (
        f"{key.serial:10} {owner:{owners}} {shares[0]}  {' '.join(shares[1:])} "
        f"{expires[:8]:8}{possessed} {indent}{name}{style.dim(more)}"
    )


def _notes(tree: Tree, names: list[str], shown: set[int]) -> list[str]:
    found = not shown.isdisjoint(tree.paths)
    lines = ["* possessed: request_key(2) of this process finds it"] if found else []
    if "@u" in names and _is_missing(tree):
        live = isinstance(tree.anchors["@s"], int)
        why = "through @s" if live else "for there is no live @s"
        lines.append(f"Missing: @u is not found{' ' if live else ', '}{why}")
    return lines


def _is_missing(tree: Tree) -> bool:
    user = tree.anchors["@u"]
    return isinstance(user, int) and user not in tree.paths


def mend(tree: Tree, names: list[str]) -> Mend | None:
    """The command that links the user keyring, or replaces a dead session keyring."""
    if "@u" in names and _is_missing(tree):
        return mends.link_user(about_process(tree, Asked("@u", anchor="@u")))
    if "@s" in names and isinstance(tree.anchors["@s"], str):
        return mends.new_session(about_process(tree, Asked("@s", anchor="@s")))
    return None


def show(which: str | None, *, as_json: bool, as_dot: bool = False) -> int:
    """Print it; the exit status, 1 if the keyring does not exist."""
    tree = Tree().read()  # all anchors, because a key may be possessed through any of them
    names, roots, code = list(ANCHORS), [], 0
    if which in ANCHORS:
        names = [which]
        code = 0 if isinstance(tree.anchors[which], int) else 1
    elif which is not None:
        names, roots = [], [serial_of(which)]
        tree.walk(roots[0])
        code = 1 if tree.keys[roots[0]].error and not tree.keys[roots[0]].kind else 0
    behind = [serial for name in names if isinstance(serial := tree.anchors[name], int)]
    if as_json:
        print(json.dumps(document(tree, behind + roots), indent=2))
    elif as_dot:
        print(dot.text(tree, names, behind + roots))
    else:
        _print(tree, names, roots)
    return code


def _print(tree: Tree, names: list[str], roots: list[int]) -> None:
    """Fold to the width of the terminal: the rest of a name continues below KEY."""
    style, columns = Style.of(sys.stdout), width(sys.stdout)
    owners = _OWNER
    if columns:
        lengths = (len(user_name(key.uid)) for key in tree.keys.values() if key.kind)
        longest = max(lengths, default=0)
        owners = min(_OWNER, max(len("OWNER"), longest))
    where = _HEADER.format("", owners).index("KEY")
    indent = where if columns - where >= _ROOM else _NARROW
    for line in text(tree, names, roots, style, owners):
        print("\n".join(fold(line, columns, indent)))
    command = None if refused(tree) else mend(tree, names)
    if command:
        print("\n".join(mend_lines(command, style, columns)))
