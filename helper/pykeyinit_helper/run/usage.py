"""The help of `run`, which reads its command line by hand."""

import posix

from pykeyinit_helper.run.execute import HELPER_FAILED, restore_signals
from pykeyinit_helper.saying import say

_RUN = """\
usage: pykeyinit-helper run [OPTION...] [--] PROGRAM [ARGUMENT...]

Start PROGRAM in place of this process, with a session keyring of its user.  A
live one is kept.  Otherwise it gets a new one, with the user-session keyring
linked into it, or, if the kernel refuses that, the user-session keyring.

  --session keep|new|user-session|name=NAME
                     keep the one in place, create a new one, use the
                     user-session keyring, or join (or create) the one of
                     that name
  --link LIST        link these into it: user, user-session, persistent
                     (separated by commas), or none
  --user USER[:GROUP]
                     become this user first, with the supplementary groups
  --tag TEXT         add a small key with this text
  --credential NAME=FILE
                     create a new session keyring, and add the content of FILE
                     to it as a key with this name; may be repeated
  --credential-timeout TIME
                     let these keys expire after a time: 90, 10m, 2h, 1d
  --new-session      start PROGRAM in a session of its own, without the
                     terminal: for --user from a shell
  --revoke-on-exit   stay as the parent, and revoke the keyring when PROGRAM
                     has ended
  --strict           do not start PROGRAM if the kernel refuses a call
  --quiet            print no warnings
  --debug            print each step
  -h, --help         print this help

Exit status: that of PROGRAM; 125 if this failed or was misused, 126 if PROGRAM
cannot be executed, 127 if it was not found.  See pykeyinit-helper(8)."""


def show(command: str) -> int:
    """Print it; the exit status."""
    restore_signals()  # run --help | head ends quietly
    try:
        posix.write(1, {"run": _RUN}[command].encode() + b"\n")
    except OSError as error:
        say(f"cannot write: {error.strerror}")
        return HELPER_FAILED
    return 0
