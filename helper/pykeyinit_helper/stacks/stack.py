"""Read the stack of a PAM service: its own file, and "other" for missing types.

pam.conf(5), and libpam's _pam_init_handlers.  Reading files is the only effect.
"""

from collections.abc import Iterator
from pathlib import Path

from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.folders import PAM_D, Folders
from pykeyinit_helper.stacks.pamconf import fold
from pykeyinit_helper.stacks.reader import Reader


def read(service: str, folders: Folders) -> Stack:
    """The stack of a service; missing types are those of "other".

    Raises OSError if a file exists but cannot be read.
    """
    name = fold(service)
    if not any(folders.real(folder).is_dir() for folder in folders.services):
        return _read_pam_conf(name, folders)
    path = folders.find(name, folders.services)
    other = folders.find("other", folders.services)
    own = Reader(folders, path) if path else None
    return _with_other(name, own, Reader(folders, other) if other else None)


def _read_pam_conf(name: str, folders: Folders) -> Stack:
    """All services of one file, if there is no folder."""
    path = Path("/etc/pam.conf")
    own = Reader(folders, path, only=name)
    return _with_other(name, own, Reader(folders, path, only="other"))


def _with_other(name: str, own: Reader | None, other: Reader | None) -> Stack:
    entries, troubles = (own.entries, own.troubles) if own else ([], [])
    if other and name != "other":
        kinds = {entry.kind for entry in entries}
        others = (entry for entry in other.entries if entry.kind not in kinds)
        entries = entries + [entry._replace(via=0) for entry in others]
        troubles = troubles if own else other.troubles
    usable = bool(own or other) and all(reader.usable for reader in (own, other) if reader)
    file = own.path if own else ""
    return Stack(name, file, tuple(entries), tuple(dict.fromkeys(troubles)), usable)


def modules(service: str, folder: Path) -> list[str]:
    """The names of the modules as written, in the order of the types.

    Raises OSError if neither the service nor "other" has a file; a missing file of an
    include is reported by libpam.
    """
    return [entry.module for entry in _modules(_of_folder(service, folder))]


def auth(service: str, folder: Path) -> list[Entry]:
    """The auth modules, in their order.  Raises OSError as modules() does."""
    return [entry for entry in _modules(_of_folder(service, folder)) if entry.kind == "auth"]


def _of_folder(service: str, folder: Path) -> Stack:
    path = file(service, folder)
    if not path.is_file():
        path.stat()
    return read(path.name, Folders(services=(folder,), includes=(folder, PAM_D)))


def _modules(stack: Stack) -> Iterator[Entry]:
    return (entry for entry in stack.entries if not entry.fault and not entry.is_substack)


def file(service: str, folder: Path) -> Path:
    """The file that libpam reads for a service, or "other" if it has none."""
    path = folder / fold(service)
    return path if path.exists() else folder / "other"


def loads_pam_python(found: list[str]) -> bool:
    """Whether pam_python.so is among them."""
    return any(Path(module).name == "pam_python.so" for module in found)
