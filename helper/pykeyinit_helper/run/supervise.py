"""Stay as the parent of the program: `run --revoke-on-exit`, and --new-session in a shell's job.

Should this process be killed, which it cannot prevent, a third one ends the program and the
keyring: the guard.  It waits for the end of a pipe that nobody but this process holds.
"""

import os
import signal

from pam_pykeyinit.failure import failed
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper.run.execute import HELPER_FAILED, execute
from pykeyinit_helper.saying import WARNING, say

# What tells of this process itself stays unblocked.
_OWN = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}

# What stops a shell's job.  SIGSTOP is not among them: who stops the program alone with it
# continues the program alone.
_JOB_CONTROL = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}

_MOST_DESCRIPTORS = 65536


def supervise(program: "list[str]", keyring: int = 0, *, new_session: bool = False) -> int:
    """Run the program as a child, and revoke the keyring, if there is one, when it has ended.

    Its exit status, or 128 and the signal that ended it; HELPER_FAILED where it cannot be
    started.  With `new_session` it is in a session of its own, setsid(2).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _OWN)
    # With SIGCHLD ignored, as some supervisors leave it, the status would be lost.
    child_handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        child = os.fork()
    except OSError as error:
        say(f"cannot start {program[0]}: fork: {error.strerror} (a limit of processes?)")
        _revoke(keyring)
        return HELPER_FAILED
    if child == 0:
        try:
            signal.signal(signal.SIGCHLD, child_handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            if new_session:
                os.setsid()
            os._exit(execute(program))
        finally:
            os._exit(HELPER_FAILED)
    try:
        if os.getpid() != 1:  # the end of pid 1 is the end of all that it has started
            _guard(child, keyring)
        return _wait(child, new_session=new_session)
    finally:
        _revoke(keyring)


def _guard(child: int, keyring: int) -> None:
    """Start the guard.  Without one there is a warning, and the program goes on."""
    try:
        program = os.pidfd_open(child)
        waiting, _held = os.pipe()  # held until this process ends, however it does
        guard = os.fork()
    except OSError as error:
        lost = "if this process is killed, the program and its keyring stay"
        say(f"warning: no guard: {error.strerror}: {lost}", WARNING)
        return
    if guard == 0:
        try:
            os.setsid()  # what is sent to the process group is not for the guard
            _close_all_but(*sorted((waiting, program)))
            os.read(waiting, 1)
            _end(program, keyring)
        finally:
            os._exit(0)
    os.close(waiting)
    os.close(program)


def _close_all_but(one: int, other: int) -> None:
    """What the program closes, and others wait for the end of, must not stay open here."""
    os.closerange(0, one)
    os.closerange(one + 1, other)
    os.closerange(other + 1, _MOST_DESCRIPTORS)


def _end(program: int, keyring: int) -> None:
    """End what is left: after an orderly end that is nothing."""
    try:
        signal.pidfd_send_signal(program, signal.SIGKILL)
    except OSError:
        pass
    if keyring:
        try:
            syscalls.revoke(keyring)
        except syscalls.KernelError:
            pass


def _revoke(keyring: int) -> None:
    if keyring:
        try:
            syscalls.revoke(keyring)
        except syscalls.KernelError as error:
            lost = failed(error, f"session keyring {keyring} was not revoked")
            say(f"warning: {lost}", WARNING)


def _wait(child: int, *, new_session: bool) -> int:
    while True:
        arrived = signal.sigwaitinfo(signal.valid_signals() - _OWN)
        if arrived.si_signo != signal.SIGCHLD:
            # What the terminal sends, it has sent to a program of the same session as well.
            if arrived.si_pid != child and (new_session or arrived.si_code <= 0):
                _pass_on(arrived.si_signo, child)
            continue
        status = _reap(child)
        if status is not None:
            return status


def _reap(child: int) -> "int | None":
    """Take what has ended, also orphans that are pid 1's; the program's status, if it has."""
    found = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended != child:
            continue
        if os.WIFSTOPPED(status):
            if os.WSTOPSIG(status) in _JOB_CONTROL:
                # Stop as well, so that a shell sees its job stopped; then go on together.
                os.kill(os.getpid(), signal.SIGSTOP)
                os.kill(child, signal.SIGCONT)
        elif os.WIFSIGNALED(status):
            found = 128 + os.WTERMSIG(status)
        else:
            found = os.WEXITSTATUS(status)


def _pass_on(number: int, child: int) -> None:
    try:
        os.kill(child, number)
    except PermissionError:
        pass  # it has other ids than we: a set-user-ID program
