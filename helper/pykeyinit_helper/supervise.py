"""`run --revoke-on-exit`: stay as the parent, and revoke the keyring when the program ends."""

import os
import signal

from pam_pykeyinit import kernel
from pam_pykeyinit.failure import failed
from pykeyinit_helper.run import execute, say

# What tells of this process itself stays unblocked.
_OWN = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}

# What stops a shell's job.  SIGSTOP is not among them: who stops the program alone with it
# continues the program alone.
_JOB_CONTROL = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


def supervise(program: "list[str]", keyring: int) -> int:
    """Run the program as a child.  Its exit status, or 128 and the signal that ended it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _OWN)
    # With SIGCHLD ignored, as some supervisors leave it, the status would be lost.
    child_handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGCHLD, child_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os._exit(execute(program))
    try:
        return _wait(child)
    finally:
        try:
            kernel.revoke(keyring)
        except kernel.KernelError as error:
            say(f"warning: {failed(error, f'session keyring {keyring} was not revoked')}")


def _wait(child: int) -> int:
    while True:
        arrived = signal.sigwaitinfo(signal.valid_signals() - _OWN)
        if arrived.si_signo != signal.SIGCHLD:
            # What the terminal sends, it has sent to the program as well.
            if arrived.si_code <= 0 and arrived.si_pid != child:
                os.kill(child, arrived.si_signo)
            continue
        while True:
            ended, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if ended == 0:
                break
            if os.WIFSTOPPED(status):
                if os.WSTOPSIG(status) in _JOB_CONTROL:
                    # Stop as well, so that a shell sees its job stopped; then go on together.
                    os.kill(os.getpid(), signal.SIGSTOP)
                    os.kill(child, signal.SIGCONT)
            elif os.WIFSIGNALED(status):
                return 128 + os.WTERMSIG(status)
            else:
                return os.WEXITSTATUS(status)
