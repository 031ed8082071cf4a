"""The tree of `show` as a graph for Graphviz: dot(1)."""

from collections.abc import Iterable

from pam_pykeyinit.log import printable
from pykeyinit_helper.inspect.tree import ANCHORS, Key, Tree

_HEAD = """\
digraph keyrings {
    rankdir=LR
    graph [fontname="sans-serif"]
    node [fontname="sans-serif" fontsize=11]
    edge [arrowsize=0.7]"""


def text(tree: Tree, names: Iterable[str], roots: Iterable[int]) -> str:
    """A node for each keyring of the process and each key below, an edge for each link.

    Possessed keys are filled; keys that are not live are dashed.
    """
    lines = [_HEAD]
    for name in names:
        serial = tree.anchors[name]
        if isinstance(serial, int):
            label = f"{name}\n{ANCHORS[name][1]} keyring"
            lines.append(f"    {_quoted(name)} [label={_quoted(label)} shape=plaintext]")
            lines.append(f"    {_quoted(name)} -> {serial} [style=bold]")
    for serial in sorted(tree.below(roots)):
        key = tree.keys[serial]
        lines.append(f"    {serial} [{_look(key, possessed=serial in tree.paths)}]")
        lines += [f"    {serial} -> {link}" for link in key.links]
    return "\n".join([*lines, "}"])


def _look(key: Key, *, possessed: bool) -> str:
    name = f"{key.kind}: {printable(key.description)}" if key.kind else key.error
    shape = "folder" if key.kind == "keyring" else "note"
    style = "dashed" if not key.kind else "filled" if possessed else "solid"
    label = _quoted(f"{name}\n{key.serial}")
    return f'label={label} shape={shape} style={style} fillcolor="#e8f0fe"'


def _quoted(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
