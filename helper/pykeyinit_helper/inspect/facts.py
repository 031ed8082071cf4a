"""Facts about the process, its session keyring and its quota."""

import os

from pam_pykeyinit.policies import quota
from pykeyinit_helper.inspect import asker, verdict, whereabouts
from pykeyinit_helper.inspect.case import DEAD, Case
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.inspect.permissions import WRITE
from pykeyinit_helper.inspect.tree import Key, Tree
from pykeyinit_helper.output import user_name
from pykeyinit_helper.session_keyring import is_outer

_KEYCTL_IS_REFUSED = ("ENOSYS", "EPERM", "EACCES")


def refused(tree: Tree) -> str:
    """The errno if keyctl(2) itself is refused, or ""."""
    errors = [str(e) for e in tree.anchors.values() if e in _KEYCTL_IS_REFUSED]
    return errors[0] if len(errors) == len(tree.anchors) else ""


def about_process(tree: Tree, asked: Asked) -> Case:
    """The facts that do not depend on a key, from a tree that was read."""
    state, of = _session(tree)
    user = _ring(tree, "@u")
    session = _ring(tree, "@s")
    return Case(
        asked,
        user_name(tree.who.uid),
        filtered=tuple(verdict.filtered().items()),
        namespace=asker.in_user_namespace(),
        shell=asker.shell(),
        helper=asker.helper(),
        can_adopt=not asker.unfit(os.getppid()),
        session=state,
        session_owner=of,
        session_writable=session is not None and whereabouts.may(tree, session, WRITE),
        user_found=user is not None and user.serial in tree.paths,
        user_writable=user is not None and whereabouts.may(tree, user, WRITE),
        quota=quota.read(tree.who.uid),
    )


def _ring(tree: Tree, name: str) -> Key | None:
    serial = tree.anchors[name]
    return tree.keys[serial] if isinstance(serial, int) else None


def _session(tree: Tree) -> tuple[str, str]:
    """The state of @s, and its owner."""
    anchor = tree.anchors["@s"]
    if isinstance(anchor, str):
        made = anchor in DEAD and (anchor != "ENOKEY" or isinstance(tree.anchors["@us"], int))
        return (anchor if made else "none"), ""
    key = tree.keys[anchor]
    if not key.kind:
        return "unknown", ""
    if tree.is_stand_in():
        return "stand-in", user_name(key.uid)
    if key.uid != os.getuid():
        return "foreign", user_name(key.uid)
    return ("outer" if is_outer(key.description) else "own"), user_name(key.uid)
