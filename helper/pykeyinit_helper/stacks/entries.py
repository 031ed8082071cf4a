"""What a stack of a PAM service is made of.  Nothing but types."""

from typing import NamedTuple

KINDS = ("auth", "account", "password", "session")


class Entry(NamedTuple):
    """One module of a stack, or the mark of a substack, where `is_substack`."""

    file: str  # as it is seen from below the root
    line: int
    via: int  # the line of the service's own file that led there, its own too; 0 if "other" serves
    kind: str
    control: str
    actions: tuple[int, ...]
    module: str
    arguments: tuple[str, ...] = ()
    silent: bool = False  # the `-` before the type
    level: int = 0  # how many substacks it is in
    fault: str = ""  # why libpam has no module here: PAM_PERM_DENIED
    is_substack: bool = False
    last: int = 0  # its last line in the file, where backslashes make it several

    @property
    def name(self) -> str:
        """The module's file name, without its folder."""
        return self.module.rpartition("/")[2]


class Trouble(NamedTuple):
    """What libpam cannot read, or not in every version alike."""

    file: str
    line: int
    text: str


class Stack(NamedTuple):
    """All of a service."""

    service: str
    file: str  # the service's own, "" where it has none and "other" serves
    entries: tuple[Entry, ...]
    troubles: tuple[Trouble, ...]
    usable: bool = True  # whether pam_start(3) succeeds

    def of(self, kind: str) -> list[Entry]:
        """The entries of one type."""
        return [entry for entry in self.entries if entry.kind == kind]
