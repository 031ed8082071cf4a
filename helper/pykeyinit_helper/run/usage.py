"""The help of `run`, which reads its command line by hand."""

import posix

from pykeyinit_helper.run.execute import HELPER_FAILED, restore_signals
from pykeyinit_helper.saying import say

_RUN = """\
usage: pykeyinit-helper run [OPTION...] [--] PROGRAM [ARGUMENT...]

Start PROGRAM, in place of this process, with the session keyring that it
should have: a live one of its user's is kept; otherwise it gets a new one
with the user-session keyring linked into it, or where the kernel refuses that,
the user-session keyring itself.

  --session keep|new|user-session|name=NAME
                     choose instead: keep what is in place, make a new one,
                     the user-session keyring, or join (or make) the one of
                     that name
  --link LIST        what to link into it: user, user-session, persistent (with
                     commas between them), or none
  --user USER[:GROUP]
                     become this user first, with the supplementary groups
  --tag TEXT         leave a small key that says what the keyring is for
  --new-session      start PROGRAM in a session of its own, without the
                     terminal: for --user from a shell
  --revoke-on-exit   stay as the parent, and revoke the keyring when PROGRAM
                     has ended
  --strict           do not start PROGRAM where the kernel refuses something
  --quiet            no warnings
  --debug            say each step
  -h, --help         print this

Exit status: PROGRAM's own; 125 this failed or was misused, 126 PROGRAM cannot
be executed, 127 it was not found.  See pykeyinit-helper(8)."""


def show(command: str) -> int:
    """Print it; the exit status."""
    restore_signals()  # run --help | head ends quietly
    try:
        posix.write(1, {"run": _RUN}[command].encode() + b"\n")
    except OSError as error:
        say(f"cannot write: {error.strerror}")
        return HELPER_FAILED
    return 0
