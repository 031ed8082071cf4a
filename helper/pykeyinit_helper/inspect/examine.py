"""Gather a Case: the kernel's answer about a key, and the reason for it."""

from pam_pykeyinit.log import printable
from pykeyinit_helper.inspect import permissions, verdict, whereabouts
from pykeyinit_helper.inspect.case import Case
from pykeyinit_helper.inspect.facts import about_process, refused
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.inspect.permissions import LINK, READ, SETATTR, WRITE
from pykeyinit_helper.inspect.tree import SEARCHED, Key, Tree
from pykeyinit_helper.output import user_name

_GONE = {"EKEYREVOKED": "revoked", "EKEYEXPIRED": "expired", "EACCES": "hidden"}
_ERRORS = {"revoked": "EKEYREVOKED", "expired": "EKEYEXPIRED", "negative": "ENOKEY"}
_USABLE = ("", "EOPNOTSUPP")
_MOST_CANDIDATES = 16  # keys of one name that are examined for the reason


def examine(asked: Asked) -> Case:
    """The facts about a key."""
    tree = Tree()
    if error := refused(tree):
        return Case(asked, user_name(tree.who.uid), error=error, refused=error)
    tree.read()
    case = about_process(tree, asked)
    if asked.anchor:
        return _of_anchor(case, tree)
    return _of_serial(case, tree, asked.serial) if asked.serial else _of_name(case, tree)


def _of_anchor(case: Case, tree: Tree) -> Case:
    anchor = tree.anchors[case.asked.anchor]
    if isinstance(anchor, str):
        return case._replace(error=anchor)
    return _of_serial(case, tree, anchor)


def _of_serial(case: Case, tree: Tree, serial: int) -> Case:
    """For a serial number there is no search: using a key means reading it.

    A key of a type that cannot be read is used by the kernel, which must find it.
    """
    reading = verdict.read(serial)
    tree.walk(serial)
    key = tree.keys[serial]
    error = "" if reading in _USABLE else reading
    if reading == "EOPNOTSUPP":
        error = _why_unfound(tree, key)
    if key.error == "ENOKEY" and serial not in tree.rows:
        return case._replace(error=error or "ENOKEY")
    return _about(case._replace(error=error, reading=reading), tree, key)


def _why_unfound(tree: Tree, key: Key) -> str:
    """The errno for a key without reading that is dead or not possessed; otherwise "".

    The kernel returns EOPNOTSUPP after it has checked the permission to read, or possession.
    """
    if key.error in ("EKEYREVOKED", "EKEYEXPIRED"):
        return key.error
    _, bits = whereabouts.share(tree, key)
    if not bits & READ or key.serial in tree.paths:
        return ""
    found, _ = verdict.request(key.kind, key.description)
    return "" if found == key.serial else "ENOKEY"


def _of_name(case: Case, tree: Tree) -> Case:
    asked = case.asked
    serial, error = verdict.request(asked.kind, asked.description)
    if error == "ENOKEY":
        error = _expired(tree, asked) or error
    named = whereabouts.candidates(tree, asked)
    if serial:
        tree.walk(serial)
        if serial not in tree.paths:
            tree.paths[serial] = whereabouts.found_through(tree, asked, serial)
        reading = verdict.read(serial)
        case = case._replace(error="" if reading in _USABLE else reading, reading=reading)
        return _about(case, tree, tree.keys[serial])
    case = case._replace(error=error)
    meant = _meant(tree, named, error)
    if not meant:
        dark = whereabouts.dark(tree)
        return case._replace(
            type_exists=error in ("EINVAL", "EPERM") or verdict.has_type(asked.kind),
            dark=_called(dark[0]) if dark else "",
        )
    looked_at = [
        _about(case._replace(reading=verdict.read(key.serial)), tree, key)
        for key in meant[:_MOST_CANDIDATES]
    ]
    return min(looked_at, key=_distance)


def _distance(case: Case) -> int:
    """The distance of a key from being found: the nearest key of a name is explained."""
    near = (
        case.state in _ERRORS, case.blocker or case.deep, case.below_user,
        case.below_user_session, case.place == "persistent", case.bits & LINK,
    )  # fmt: skip
    return next((number for number, holds in enumerate(near) if holds), len(near))


def _expired(tree: Tree, asked: Asked) -> str:
    """The errno of a search if request_key(2) skipped an expired key, or ""."""
    for name in SEARCHED:
        anchor = tree.anchors[name]
        if isinstance(anchor, int):
            _, error = verdict.search(anchor, asked.kind, asked.description)
            if error == "EKEYEXPIRED":
                return error
    return ""


def _meant(tree: Tree, named: list[int], error: str) -> list[Key]:
    """The keys that the kernel's answer may be about."""
    keys = [tree.keys[serial] for serial in named]
    for key in keys:
        state = _state(tree, key)
        if _ERRORS.get(state) == error and (state != "negative" or key.serial in tree.paths):
            return [key]
    if error in ("EKEYREVOKED", "EKEYEXPIRED"):
        return []  # the error says this, and no other key of the name is the reason
    return [key for key in keys if _state(tree, key) in ("live", "hidden")] or keys


def _state(tree: Tree, key: Key) -> str:
    row = tree.rows.get(key.serial)
    if row is not None and "N" in row.flags:
        return "negative"
    return "live" if key.kind else _GONE.get(key.error, "live")


def _about(case: Case, tree: Tree, key: Key) -> Case:
    share, bits = whereabouts.share(tree, key)
    case = case._replace(
        serial=key.serial,
        state=_state(tree, key),
        kind=key.kind,
        description=key.description,
        owner=user_name(key.uid) if key.kind else "",
        path=_names(tree, tree.paths.get(key.serial, ())),
        share=share,
        bits=bits,
        possessor_bits=permissions.possessors(key.mask),
    )
    return case if case.good else _where(case, tree, key)


def _where(case: Case, tree: Tree, key: Key) -> Case:
    """Facts that matter only if the key cannot be used."""
    blockers, deep = whereabouts.hindrances(tree, key.serial)
    rings = whereabouts.holders(tree, key.serial)
    below_user = bool(whereabouts.way(tree, tree.anchors["@u"], key.serial))
    below_session = bool(whereabouts.way(tree, tree.anchors["@us"], key.serial))
    known = rings or below_user or below_session
    place = None if known else whereabouts.elsewhere(tree, key.serial)
    dark = whereabouts.dark(tree)
    settable = all(whereabouts.share(tree, each)[1] & SETATTR for each in blockers)
    return case._replace(
        holders=tuple(_word(tree, ring) for ring in rings if whereabouts.may(tree, ring, WRITE)),
        below_user=below_user,
        below_user_session=below_session,
        place=place.kind if place else "",
        place_name=_called(place.keyring) if place else "",
        blocker="" if not blockers else "it" if blockers[0] is key else _keyring(blockers[0]),
        blockers=tuple((each.serial, each.mask) for each in blockers) if settable else (),
        deep=deep.serial if deep else 0,
        dark=_called(dark[0]) if dark and not known and not place else "",
    )


def _word(tree: Tree, ring: Key) -> str:
    """A keyring in the syntax of keyctl(1)."""
    names = (name for name in ("@u", "@us", "@s") if tree.anchors[name] == ring.serial)
    return next(names, str(ring.serial))


def _keyring(key: Key) -> str:
    return f"keyring {_called(key)}"


def _called(key: Key) -> str:
    return f"{printable(key.description)} ({key.serial})" if key.description else str(key.serial)


def _names(tree: Tree, path: tuple[int, ...]) -> tuple[str, ...]:
    if not path:
        return ()
    anchor = next(name for name in SEARCHED if tree.anchors[name] == path[0])
    if len(path) == 1:
        return (anchor,)
    return (anchor, *(printable(tree.keys[serial].description) for serial in path[1:-1]))
