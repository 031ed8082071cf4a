"""The types of a PAM stack."""

from typing import NamedTuple

KINDS = ("auth", "account", "password", "session")


class Entry(NamedTuple):
    """One module of a stack, or the mark of a substack, where `is_substack`."""

    file: str  # as seen from inside the root
    line: int
    via: int  # the line of the service's own file that leads to it; 0 if "other" is used
    kind: str
    control: str
    actions: tuple[int, ...]
    module: str
    arguments: tuple[str, ...] = ()
    silent: bool = False  # the `-` before the type
    level: int = 0  # the depth of substacks
    fault: str = ""  # why libpam has no module here: PAM_PERM_DENIED
    is_substack: bool = False
    last: int = 0  # its last line in the file, if backslashes continue it

    @property
    def name(self) -> str:
        """The module's file name, without its folder."""
        return self.module.rpartition("/")[2]


class Trouble(NamedTuple):
    """Lines that libpam cannot read, or that its versions read differently."""

    file: str
    line: int
    text: str


class Stack(NamedTuple):
    """The stack of a service."""

    service: str
    file: str  # the service's own file; "" if it has none and "other" is used
    entries: tuple[Entry, ...]
    troubles: tuple[Trouble, ...]
    usable: bool = True  # whether pam_start(3) succeeds

    def of(self, kind: str) -> list[Entry]:
        """The entries of one type."""
        return [entry for entry in self.entries if entry.kind == kind]
