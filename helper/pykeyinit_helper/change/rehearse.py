"""Trial sessions through a stack before a login depends on it: is it worse than the old one?"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pykeyinit_helper.change.trial import messages
from pykeyinit_helper.stacks.blocks import OURS
from pykeyinit_helper.stacks.folders import Folders
from pykeyinit_helper.stacks.pam_calls import How

_ALONE = "auth required pam_permit.so\naccount required pam_permit.so\n"


class Worse(Exception):
    """A failure of the new stack that the old one did not have."""


Codes = dict[str, tuple[int, str]]  # each call's code, with the text of libpam


def session(service: str, user: str, folder: Path | None) -> Codes:
    """Open and close a session in a process of its own; `crash` is the signal that ended it.

    Raises Worse if no session was tried.
    """
    found: Codes = {}
    how = How(confdir=str(folder) if folder else None, looks=False)
    for message in messages(service, user, how):
        if "call" in message:
            found[message["call"]] = message["code"], message["text"]
        elif "killed" in message:
            found["crash"] = message["killed"], "the process was killed by this signal"
        elif "status" in message:
            raise Worse("a trial session could not be opened")
    return found


def compare(old: Codes, new: Codes) -> None:
    """Raise Worse if a call fails that succeeded before."""
    for call, (code, text) in new.items():
        if code != 0 and code != old.get(call, (0, ""))[0]:
            raise Worse(f"{call} gives {code} ({text})")


def new_stack(service: str, user: str, folders: Folders, new: str, words: Sequence[str]) -> Codes:
    """Sessions through the old stack and the new one, and one that fails unless our line works.

    The codes of the old one.  Raises Worse.
    """
    alone = _ALONE + " ".join(("session required", OURS, *words)) + "\n"
    with _copies(folders) as folder:
        old = session(service, user, folder)
        (folder / service).write_text(alone, encoding="utf-8", errors="surrogateescape")
        for call, (code, text) in session(service, user, folder).items():
            if code != 0:
                raise Worse(f"pam_pykeyinit.so by itself: {call} gives {code} ({text})")
        (folder / service).write_text(new, encoding="utf-8", errors="surrogateescape")
        compare(old, session(service, user, folder))
    return old


@contextlib.contextmanager
def _copies(folders: Folders) -> Iterator[Path]:
    """A folder with all services and what they include, for pam_start_confdir(3)."""
    with tempfile.TemporaryDirectory(prefix="pykeyinit-helper.") as name:
        folder = Path(name)
        for source in reversed(folders.services):
            for path in source.iterdir() if source.is_dir() else ():
                if path.is_file():
                    shutil.copyfile(path, folder / path.name)
        yield folder
