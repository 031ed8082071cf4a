"""`pykeyinit-helper run`: prepare the session keyring, become the user, exec in place.

This runs at the start of every daemon that uses it, so it imports only what it needs: no os, no
argparse, not even site.
"""

import posix

from pam_pykeyinit.kernel import identity, syscalls
from pykeyinit_helper import decide
from pykeyinit_helper.become import Refused, Target, become, find, is_already
from pykeyinit_helper.run import words
from pykeyinit_helper.run.execute import HELPER_FAILED, execute
from pykeyinit_helper.run.prepare import Preparation, SessionKeyring, look
from pykeyinit_helper.saying import DEBUG, NOTICE, WARNING, say

_COERCED = (b"C.UTF-8", b"C.utf8", b"UTF-8")


def main(arguments: "list[str]") -> int:
    """Run the command.  Returns the exit status, unless the program replaces this process."""
    try:
        _keep_standard_descriptors_closed()
        _restore_environment()
        asked = words.read(arguments)
        if asked.help:
            from pykeyinit_helper.run.usage import show

            return show("run")
        return _run(asked)
    except Refused as refusal:
        say(str(refusal))
    except identity.NotRestored as alarm:
        say(f"{alarm}; nothing was started")
    except (MemoryError, RecursionError, OSError) as error:
        # Any exception: no traceback may reach a client, nor look like the program's status.
        say(f"{type(error).__name__}: {error}; nothing was started")
    return HELPER_FAILED


def _run(asked: words.Words) -> int:
    if asked.revoke_on_exit or asked.new_session:
        _take_the_name()
    credentials = None
    if asked.credentials:
        from pykeyinit_helper.run.credentials import Credentials

        credentials = Credentials(asked.credentials, asked.credential_timeout)
    target = find(asked.user) if asked.user is not None else None
    preparation = Preparation(asked.session, asked.name, asked.link, asked.tag)
    if target is not None:
        if asked.session == decide.NAMED:
            from pykeyinit_helper.run.shared import Shared

            preparation.shared = Shared(asked.name, target.uid)
        if asked.session != decide.KEEP and not is_already(target):
            _leave_foreign_keyring(target, preparation)
        become(target)
    preparation.run()
    if credentials is not None:
        credentials.put(preparation)
    _report(preparation, asked)
    if asked.revoke_on_exit and preparation.created:
        from pykeyinit_helper.run.supervise import supervise

        return supervise(asked.program, preparation.serial, new_session=asked.new_session)
    if asked.new_session and not _begin_session():
        from pykeyinit_helper.run.supervise import supervise

        return supervise(asked.program, new_session=True)
    return execute(asked.program)


def _take_the_name() -> None:
    """Let ps(1) list this process as pykeyinit-helper, not as its interpreter."""
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as file:
            file.write("pykeyinit-helper")
    except OSError:
        pass


def _begin_session() -> bool:
    """Leave the terminal, setsid(2), unless this leads a process group, as a job of a shell."""
    try:
        posix.setsid()
    except OSError:
        return False
    return True


def _report(preparation: Preparation, asked: words.Words) -> None:
    """Print notices and refusals.  Raises Refused for a refusal with --strict."""
    refusals = preparation.refusals
    if asked.debug:
        for line in preparation.steps:
            say(line, DEBUG)
    if not asked.quiet:
        for line in preparation.notices:
            say(line, NOTICE)
        for refusal in () if asked.strict else refusals:
            say(f"warning: {refusal}", WARNING)
    if asked.strict and refusals:
        raise Refused(f"{refusals[0]}; not started because of --strict")


def _leave_foreign_keyring(target: Target, preparation: Preparation) -> None:
    """Leave a session keyring of another user before this process becomes the target.

    Afterwards the target gets one of its own.  If that is refused, for example because the target
    has used up its quota on purpose, it has this empty one, and not root's.
    """
    found: list[SessionKeyring] = []
    try:
        identity.with_real_ids(target.uid, target.gid, lambda: found.append(look(target.uid)))
        if found[0].state == decide.FOREIGN:
            preparation.empty = syscalls.join_anonymous_session()
            preparation.left = found[0]
    except syscalls.KernelError:
        pass  # reported if the target's own is refused too


def _keep_standard_descriptors_closed() -> None:
    """Occupy the descriptors 0, 1 and 2 if they are closed, so that no file opened here gets them.

    The replacements are closed at the exec, so the program finds them closed again.
    """
    for descriptor in range(3):
        try:
            posix.fstat(descriptor)
        except OSError:
            posix.open("/dev/null", posix.O_RDWR)


def _restore_environment() -> None:
    """Restore the LC_CTYPE that the interpreter changes in the locale C (PEP 538).

    This must happen before the ids change: afterwards only root can read /proc/self/environ.
    """
    if posix.environ.get(b"LC_CTYPE") in _COERCED:
        try:
            descriptor = posix.open("/proc/self/environ", posix.O_RDONLY)
        except OSError:
            return  # no /proc: the program keeps the locale of Python
        block = b""
        while part := posix.read(descriptor, 1 << 16):
            block += part
        posix.close(descriptor)
        before = [entry[9:] for entry in block.split(b"\0") if entry.startswith(b"LC_CTYPE=")]
        if before:
            posix.putenv(b"LC_CTYPE", before[0])
        else:
            posix.unsetenv(b"LC_CTYPE")
