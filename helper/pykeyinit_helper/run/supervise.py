"""Stay as the parent of the program: `run --revoke-on-exit`, and --new-session in a shell's job.

If this process is killed, a third process, the guard, ends the program and revokes the keyring.
It waits for the end of a pipe that only this process holds open.
"""

import os
import signal

from pam_pykeyinit.failure import failed
from pam_pykeyinit.kernel import syscalls
from pykeyinit_helper.run.execute import HELPER_FAILED, execute
from pykeyinit_helper.saying import WARNING, say

# Signals that concern this process itself stay unblocked.
_OWN = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}

# Signals that stop a job of a shell.  SIGSTOP is not one of them: a process that stops only the
# program with it also continues only the program.
_JOB_CONTROL = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}

_MOST_DESCRIPTORS = 65536


def supervise(program: "list[str]", keyring: int = 0, *, new_session: bool = False) -> int:
    """Run the program as a child, and revoke the keyring, if there is one, when it has ended.

    Returns its exit status, or 128 plus the signal that ended it, or HELPER_FAILED if it cannot
    be started.  With `new_session` it runs in a session of its own, setsid(2).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _OWN)
    # Some supervisors ignore SIGCHLD; the status would then be lost.
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
        if os.getpid() != 1:  # when pid 1 ends, the kernel ends all its processes
            _guard(child, keyring)
        return _wait(child, new_session=new_session)
    finally:
        _revoke(keyring)


def _guard(child: int, keyring: int) -> None:
    """Start the guard.  If that fails, print a warning and continue."""
    try:
        program = os.pidfd_open(child)
        waiting, _held = os.pipe()  # open until this process ends, in any way
        guard = os.fork()
    except OSError as error:
        lost = "if this process is killed, the program and its keyring stay"
        say(f"warning: no guard: {error.strerror}: {lost}", WARNING)
        return
    if guard == 0:
        try:
            os.setsid()  # the guard must not get signals for the process group
            _close_all_but(*sorted((waiting, program)))
            os.read(waiting, 1)
            _end(program, keyring)
        finally:
            os._exit(0)
    os.close(waiting)
    os.close(program)


def _close_all_but(one: int, other: int) -> None:
    """Close descriptors: others may wait until the program closes them."""
    os.closerange(0, one)
    os.closerange(one + 1, other)
    os.closerange(other + 1, _MOST_DESCRIPTORS)


def _end(program: int, keyring: int) -> None:
    """End the program and the keyring; after a normal end neither is left."""
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
            # A program of the same session gets the signals of the terminal itself.
            if arrived.si_pid != child and (new_session or arrived.si_code <= 0):
                _pass_on(arrived.si_signo, child)
            continue
        status = _reap(child)
        if status is not None:
            return status


def _reap(child: int) -> "int | None":
    """Reap children, also orphans of pid 1.  Returns the status of the program if it has ended."""
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
                # Stop this process too, so that the shell sees a stopped job; then continue both.
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
        pass  # it has other ids: a set-user-ID program
