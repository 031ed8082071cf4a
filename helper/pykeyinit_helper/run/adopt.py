"""`pykeyinit-helper adopt`: a new session keyring for the shell that calls it.

The kernel gives a parent its child's session keyring (keyctl_session_to_parent(3)) under
conditions, and returns EPERM if one fails.  This reads /proc to find which one.
"""

import os
import sys
from errno import EPERM

from pam_pykeyinit.failure import failed
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper import decide, keyctl
from pykeyinit_helper.become import Refused
from pykeyinit_helper.inspect import asker, mends
from pykeyinit_helper.inspect.case import Case
from pykeyinit_helper.inspect.keynames import Asked
from pykeyinit_helper.output import Style, mend_lines, width
from pykeyinit_helper.run.prepare import Preparation, SessionKeyring, look


def adopt() -> int:
    """Replace the parent's session keyring if it is dead or foreign; 0 done, 1 refused."""
    parent = os.getppid()
    try:
        found = look(os.getuid())
    except syscalls.KernelError as error:
        raise Refused(str(failed(error, "no session keyring can be made"))) from error
    if found.state in (decide.OWN, decide.USER_SESSION, decide.OUTER):
        print(f"Nothing to do: the session keyring {found.serial} is live, and yours.")
        return 0
    preparation = Preparation()
    preparation.run()
    if not preparation.created:
        raise Refused(str(preparation.refusals[0]))
    try:
        keyctl.session_to_parent()
    except syscalls.KernelError as error:
        if error.errno != EPERM:
            raise Refused(str(failed(error, "the shell keeps what it has"))) from error
        return _refused(parent, found)
    print(f"Process {parent} ({asker.name(parent)}) has the new session keyring")
    there = "where there was none" if found.state == decide.NONE else f"in place of {found}"
    print(f"{preparation.serial}, {there}.")
    return _report(preparation)


def _report(preparation: Preparation) -> int:
    """Print which keyrings the new session keyring leads to; 0 if the user keyring is one."""
    there = _found_through()
    if there:
        print(f"Found through it: {' and '.join(there)}.")
    if "@u" in there:
        return 0
    print("The user keyring (@u) is not found through it.")
    for refusal in preparation.refusals:
        print(refusal)
    if not preparation.refusals:
        _print_mend("own")
    return 1


def _found_through() -> list[str]:
    """Which of @us and @u the session keyring leads to."""
    try:
        there = set(keyctl.links(syscalls.SESSION_KEYRING))
        names = []
        for name, special in (
            ("@us", syscalls.USER_SESSION_KEYRING),
            ("@u", syscalls.USER_KEYRING),
        ):
            serial = syscalls.get_keyring_id(special)
            if serial in there:
                names.append(name)
                there.update(keyctl.links(serial))
    except syscalls.KernelError:
        return []
    return names


def _refused(parent: int, found: SessionKeyring) -> int:
    for condition in failing(parent, found):
        print(f"The kernel refuses it: {condition}.")
    _print_mend("foreign")
    return 1


def failing(parent: int, found: SessionKeyring) -> list[str]:
    """The conditions of KEYCTL_SESSION_TO_PARENT that do not hold."""
    conditions = asker.unfit(parent)
    if found.state == decide.FOREIGN:
        who = f"uid {found.uid}" if found.uid >= 0 else "somebody else"
        conditions.append(f"session keyring {found.serial}, to be replaced, belongs to {who}")
    return conditions or ["a seccomp filter or a security module forbids it (EPERM)"]


def _print_mend(session: str) -> None:
    """The command that helps if the shell cannot get a new session keyring."""
    case = Case(
        Asked("@u", anchor="@u"), "", session=session, shell=asker.shell(), helper=asker.helper()
    )
    mend = mends.link_user(case)
    if mend:
        columns = width(sys.stdout)
        print("\n".join(mend_lines(mend, Style.of(sys.stdout), columns)))
