"""`pykeyinit-helper adopt`: a good session keyring for the shell that calls it.

The kernel gives a parent its child's session keyring (keyctl_session_to_parent(3)) under
conditions, and says only EPERM where one fails.  Which one, is looked up in /proc.
"""

import os
from errno import EPERM

from pam_pykeyinit import kernel
from pam_pykeyinit.failure import failed
from pam_pykeyinit.log import printable
from pykeyinit_helper import decide, keyctl
from pykeyinit_helper.become import Refused
from pykeyinit_helper.prepare import Found, Preparation, look

_INSTEAD = "instead: exec pykeyinit-helper run -- $SHELL"


def adopt() -> int:
    """Replace the parent's session keyring if it is dead or foreign; 0 done, 1 refused."""
    parent = os.getppid()
    try:
        found = look(os.getuid())
    except kernel.KernelError as error:
        raise Refused(str(failed(error, "no session keyring can be made"))) from error
    if found.state in (decide.OWN, decide.USER_SESSION):
        print(f"Nothing to do: the session keyring {found.serial} is live, and yours.")
        return 0
    preparation = Preparation()
    preparation.run()
    if not preparation.created:
        raise Refused(str(preparation.refusals[0]))
    try:
        keyctl.session_to_parent()
    except kernel.KernelError as error:
        if error.errno != EPERM:
            raise Refused(str(failed(error, "the shell keeps what it has"))) from error
        for condition in failing(parent, found):
            print(f"The kernel refuses it: {condition}; {_INSTEAD}")
        return 1
    print(f"Process {parent} ({_name(parent)}) has the new session keyring {preparation.serial},")
    print(f"in place of {found}; @us and @u are linked into it.")
    return 0


def failing(parent: int, found: Found) -> list[str]:
    """The conditions of KEYCTL_SESSION_TO_PARENT that do not hold."""
    conditions = []
    status = _status(parent)
    if parent <= 1:
        conditions.append("the parent is init, or in another PID namespace")
    for name, mine in (("Uid", os.geteuid()), ("Gid", os.getegid())):
        ids = status.get(name, "").split()[:3]
        if ids and set(ids) != {str(mine)}:
            what = f"real, effective and saved {name.lower()} of process {parent}"
            conditions.append(f"{what} must all be {mine}, and are {' '.join(ids)}")
    threads = status.get("Threads", "1").strip()
    if threads != "1":
        conditions.append(f"process {parent} has {threads} threads, and must have 1")
    if found.state == decide.FOREIGN:
        who = f"uid {found.uid}" if found.uid >= 0 else "somebody else"
        conditions.append(f"session keyring {found.serial}, to be replaced, belongs to {who}")
    return conditions or ["a seccomp filter or a security module forbids it (EPERM)"]


def _status(process: int) -> dict[str, str]:
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            return dict(line.split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return {}


def _name(process: int) -> str:
    return printable(_status(process).get("Name", "?").strip())
