"""The direction of imports: a room imports only from itself and from the rooms below it.

A room is a folder of a package, or a file next to the folders.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import world

# The lowest first.  Rooms on one line do not import each other.
CONTRACTS: dict[str, list[str]] = {
    "pam_pykeyinit": [
        "kernel",  # system calls, and what the kernel reports
        "codes pam",  # shared by the others
        "log",
        "failure",
        "user",
        "policies",  # options that pam_keyinit does not have
        "options hold left_open",
        "session",  # the keyring of one handle
        "module",  # the service functions
        "native",  # the parts that our loader needs
    ],
    "helper/pykeyinit_helper": [
        "decide keyctl output saying",  # shared by the others
        "become session_keyring",
        "inspect",  # show and explain
        "run stacks view",  # run and adopt; check; sessions and watch
        "change",  # enable, disable, try
        "api cli",
        "__main__",
    ],
}
FACES = {"__init__"}  # of a package: its version


def _module(folder: Path, file: Path) -> list[str]:
    """The names that lead to a file, from the package on."""
    names = list(file.relative_to(folder.parent).with_suffix("").parts)
    return names[:-1] if names[-1] == "__init__" else names


def _imports(folder: Path, file: Path) -> Iterator[list[str]]:
    """The modules of the same package that a file imports, anywhere in it."""
    here = list(file.relative_to(folder.parent).parts[:-1])
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = here[: len(here) - node.level + 1] if node.level else []
        base += node.module.split(".") if node.module else []
        if base[:1] != [folder.name]:
            continue
        for alias in node.names:
            found = [*base, alias.name]
            is_module = folder.parent.joinpath(*found).with_suffix(".py").exists()
            yield found if is_module else base


def _room(module: list[str]) -> str:
    return module[1] if len(module) > 1 else "__init__"


@pytest.mark.parametrize("package", CONTRACTS)
def test_a_room_imports_from_those_below_it(package: str) -> None:
    folder = world.ROOT / package
    level = {room: at for at, rooms in enumerate(CONTRACTS[package]) for room in rooms.split()}
    wrong = []
    for file in sorted(folder.rglob("*.py")):
        own = _room(_module(folder, file))
        if own in FACES or own == "loader":
            continue
        for imported in _imports(folder, file):
            other = _room(imported)
            if other not in (own, *FACES) and level[other] >= level[own]:
                wrong.append(f"{file.relative_to(folder)} imports {'.'.join(imported)}")
    assert wrong == []


@pytest.mark.parametrize("package", CONTRACTS)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    folder = world.ROOT / package
    graph = {
        ".".join(_module(folder, file)): {".".join(found) for found in _imports(folder, file)}
        for file in folder.rglob("*.py")
    }
    while ends := [name for name in graph if not graph[name] & graph.keys() - {name}]:
        for name in ends:
            del graph[name]
    assert graph == {}
