"""`pykeyinit-helper explain`: look at one key, and say what `diagnosis` makes of it."""

import os
import sys
import textwrap

from pam_pykeyinit import quota
from pam_pykeyinit.log import printable
from pykeyinit_helper import permissions
from pykeyinit_helper.become import Refused
from pykeyinit_helper.diagnosis import Case, Finding, diagnose, usable
from pykeyinit_helper.keynames import is_serial
from pykeyinit_helper.output import Style
from pykeyinit_helper.show import owner
from pykeyinit_helper.tree import SEARCHED, Key, Tree

_KEYCTL_IS_REFUSED = ("ENOSYS", "EPERM", "EACCES")
_GONE = {"EKEYREVOKED": "revoked", "EKEYEXPIRED": "expired", "EACCES": "hidden"}


def explain(asked: str) -> int:
    """Print the sentences and the command that mends it; 0 if the key can be used, else 1."""
    kind, colon, description = asked.partition(":")
    if not is_serial(asked) and not (colon and kind and description):
        raise Refused(f"not a key: {asked[:64]} (a serial number, or TYPE:DESCRIPTION)")
    findings = diagnose(examine(asked))
    sys.stdout.write("\n".join(lines(asked, findings, Style.of(sys.stdout))) + "\n")
    return 0 if usable(findings) else 1


def lines(asked: str, findings: list[Finding], style: Style) -> list[str]:
    """What is printed: the answer, the sentences, and one command."""
    good = usable(findings)
    verdict = "can be used" if good else style.alarm("cannot be used")
    out = [style.bold(f"{printable(asked)} {verdict} by this process.")]
    for finding in findings:
        text = printable(finding.text)
        out += textwrap.wrap(text, 79, initial_indent="  ", subsequent_indent="  ")
    mend = next((finding.mend for finding in findings if finding.mend), "")
    if mend:
        out.append(f"{style.bold('To mend it:')} {printable(mend)}")
    return out


def examine(asked: str) -> Case:
    """Gather the facts about a key, through the kernel's own eyes where it tells."""
    tree = Tree()
    me = owner(tree.who.uid)
    refused = [e for e in tree.anchors.values() if e in _KEYCTL_IS_REFUSED]
    if len(refused) == len(tree.anchors):
        return Case(asked, me, refused=str(refused[0]))
    tree.read()
    session, session_owner = _session(tree)
    used = quota.read(tree.who.uid)
    case = Case(asked, me, session=session, session_owner=session_owner, quota=used)
    serial = int(asked) if is_serial(asked) else _look_up(tree, asked)
    if serial and serial not in tree.keys:
        tree.walk(serial)
    key = tree.keys.get(serial)
    if key is None or (key.error == "ENOKEY" and serial not in tree.rows):
        return case
    return _about(case, tree, key)


def _session(tree: Tree) -> tuple[str, str]:
    anchor = tree.anchors["@s"]
    if isinstance(anchor, str):
        return anchor, ""
    uid = tree.keys[anchor].uid
    if tree.is_stand_in():
        return "stand-in", owner(uid)
    return "own" if uid == os.getuid() else "foreign", owner(uid)


def _look_up(tree: Tree, asked: str) -> int:
    """The key that is meant by TYPE:DESCRIPTION: the one that is found, or else any."""
    kind, _, description = asked.partition(":")
    named = [
        key.serial
        for key in tree.keys.values()
        if (key.kind, key.description) == (kind, description)
    ]
    anchors = [tree.anchors[name] for name in SEARCHED]
    named.sort(key=lambda serial: _rank(tree, serial, anchors))
    if named:
        return named[0]
    # Revoked and expired keys cannot be described any more, and others' are in no tree.
    listed = [
        serial
        for serial, row in tree.rows.items()
        if row.kind == kind
        and (row.text == description or row.text.startswith(f"{description}: "))
    ]
    return min(listed, key=lambda serial: serial not in tree.keys, default=0)


def _rank(tree: Tree, serial: int, anchors: list[int | str]) -> tuple[int, int]:
    path = tree.paths.get(serial)
    return (anchors.index(path[0]), len(path)) if path else (len(anchors), 0)


def _about(case: Case, tree: Tree, key: Key) -> Case:
    row = tree.rows.get(key.serial)
    state = _GONE.get(key.error, "live") if not key.kind else "live"
    if row is not None and "N" in row.flags:
        state = "negative"
    share, bits = permissions.share(key.mask, key.uid, key.gid, tree.who)
    blocker = _blocker(tree, key) if key.serial not in tree.paths else None
    return case._replace(
        serial=key.serial,
        state=state,
        key_owner=owner(key.uid) if key.kind else "",
        path=_names(tree, tree.paths.get(key.serial, ())),
        below_user=_is_below(tree, "@u", key.serial),
        below_user_session=_is_below(tree, "@us", key.serial),
        unsearchable=_name_of(blocker, key),
        unsearchable_serial=blocker.serial if blocker else 0,
        share=share,
        bits=bits,
        possessor_bits=permissions.possessors(key.mask),
    )


def _names(tree: Tree, path: tuple[int, ...]) -> tuple[str, ...]:
    if not path:
        return ()
    anchor = next(name for name in SEARCHED if tree.anchors[name] == path[0])
    if len(path) == 1:
        return (anchor,)
    return (anchor, *(printable(tree.keys[serial].description) for serial in path[1:-1]))


def _is_below(tree: Tree, name: str, serial: int) -> bool:
    return _way(tree, tree.anchors[name], serial) is not None


def _way(tree: Tree, root: int | str, serial: int) -> list[Key] | None:
    """The keyrings from a root down to a key, whatever their permissions."""
    if not isinstance(root, int) or root not in tree.keys:
        return None
    seen = {root}
    waiting = [[tree.keys[root]]]
    while waiting:
        way = waiting.pop(0)
        if way[-1].serial == serial:
            return way
        for link in way[-1].links:
            if link not in seen:
                seen.add(link)
                waiting.append([*way, tree.keys[link]])
    return None


def _blocker(tree: Tree, key: Key) -> Key | None:
    """What lies between the session keyring and the key, and gives no search."""
    for name in SEARCHED:
        for step in _way(tree, tree.anchors[name], key.serial) or ():
            if step.kind and not step.bits(tree.who, possessed=True) & permissions.SEARCH:
                return step
    return None


def _name_of(blocker: Key | None, key: Key) -> str:
    if blocker is None:
        return ""
    return "it" if blocker is key else f"keyring {printable(blocker.description)}"
