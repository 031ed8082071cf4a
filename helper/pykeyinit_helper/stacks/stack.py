"""The stack of a PAM service: of its own file, and of "other"'s for what that has not.

pam.conf(5), and libpam's _pam_init_handlers.  Reading files is the only effect.
"""

from collections.abc import Iterator
from pathlib import Path

from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.folders import PAM_D, Folders
from pykeyinit_helper.stacks.pamconf import fold
from pykeyinit_helper.stacks.reader import Reader


def read(service: str, folders: Folders) -> Stack:
    """A service's stack; types that it does not have are those of "other".

    Raises OSError where a file is there and cannot be read.
    """
    name = fold(service)
    if not any(folders.real(folder).is_dir() for folder in folders.services):
        return _read_pam_conf(name, folders)
    path = folders.find(name, folders.services)
    other = folders.find("other", folders.services)
    own = Reader(folders, path) if path else None
    return _with_other(name, own, Reader(folders, other) if other else None)


def _read_pam_conf(name: str, folders: Folders) -> Stack:
    """All services in one file, where there is no folder of them."""
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
    """The modules' names as they are written, in the order of the types.

    Raises OSError where there is neither a file of the service nor of "other"; a file that an
    include names and that is missing is libpam's to report.
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
    """The file that libpam reads for a service, which is "other" where it has none."""
    path = folder / fold(service)
    return path if path.exists() else folder / "other"


def loads_pam_python(found: list[str]) -> bool:
    """Whether pam_python.so is among them."""
    return any(Path(module).name == "pam_python.so" for module in found)
