"""The options of the commands, and the help."""

import argparse
import sys
from typing import Any, NoReturn

from pam_pykeyinit import __version__
from pykeyinit_helper import output
from pykeyinit_helper.run.execute import HELPER_FAILED
from pykeyinit_helper.saying import say

_ALL = """\
Session keyrings for programs that never see PAM.

  run       start a program with a session keyring of its user
  show      print the keyrings of this process, as a tree
  explain   print why a key is found or not, readable or not, and what mends it
  sessions  print all session keyrings of this machine, by user
  watch     print what happens to a key or in a keyring, as it happens
  adopt     give the calling shell a new session keyring
  try       open and close a real PAM session, and print its keyrings
  check     find what is wrong with the keyrings of this machine's logins
  enable    add pam_pykeyinit to the stack of a service
  disable   remove it again

Run pykeyinit-helper COMMAND --help for a command; see pykeyinit-helper(8)."""


_SHOW = """\
Print the keyrings of this process as a tree: serial number, owner, permissions
(setattr, link, search, write, read, view), expiry; * marks keys that the
process possesses."""

_EXPLAIN = """\
Print whether this process can use a key, by which path or why not, and the
command that mends it.  For example: explain user:colour"""

_SESSIONS = """\
Print the session keyrings that exist, by user, those near their quota first:
state, number of keys, quota that it takes, and when and by which service it was
made, if it has a tag.  root sees all users' keyrings, others their own."""

_WATCH = """\
Print a line for each event of a key, or of a keyring and the keys in it:
linked, unlinked, cleared, updated, changed (owner, permissions or timeout),
revoked, invalidated, expired, gone.  It ends when the key does."""

_ADOPT = """\
Give the calling shell a new session keyring, in place of one that is revoked,
expired or another user's.  If the kernel refuses it, print which condition
failed."""

_TRY = """\
Open and close a PAM session, with both orders of calls that programs use, and
print the user's keyrings before, inside and after it, the codes of all calls
and a verdict."""

_CHECK = """\
Read the PAM stacks of this machine, and print what is wrong with the keyrings
of its logins: the worst first, each with its line and the mend."""

_ENABLE = """\
Let pam_pykeyinit.so create the session keyring of each SERVICE: its line
replaces that of pam_keyinit, or is added, and conflicting lines become
comments.  A trial session through the new stack comes first.  Stacks that are
not understood are not changed; disable undoes the change."""

_DISABLE = """\
Remove the lines that enable added to the stack of each SERVICE, and restore
the old ones."""

_EPILOG_OF_THREE = """\
Exit status: 0 nothing is wrong, or done; 1 something is wrong, or a service
was not changed; 2 wrong usage, or a file cannot be read.
See pykeyinit-helper(8)."""

_EPILOG = """\
Exit status: 0 yes, 1 no, 125 wrong usage or unknown.
See pykeyinit-helper(8)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        say(f"{message}; see {self.prog} --help")
        sys.exit(HELPER_FAILED)


class _Version(argparse.Action):
    """Print the helper's version, and the version of Python inside the loader of libpam."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print, and exit."""
        from pykeyinit_helper.stacks import inside
        from pykeyinit_helper.stacks.below import Below
        from pykeyinit_helper.stacks.machine import module

        print(f"pykeyinit-helper {__version__}")
        below = Below()
        path = module(below, inside.FILE)
        found = inside.read(below, path) if path else None
        if found:
            print(f"{path}: {found}")
        parser.exit()


def _add_json(to: argparse._ActionsContainer) -> None:
    to.add_argument("--json", action="store_true", help="for programs; see the manual page")


def make() -> argparse.ArgumentParser:
    """Create the parser.  An error in the command line prints one line, and exits with 125."""
    parser = _Parser(
        prog="pykeyinit-helper",
        description=_ALL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s COMMAND [OPTION...]",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the versions")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS,
        prog="pykeyinit-helper",
    )  # fmt: skip
    commands.add_parser("run", help="", add_help=False)  # read by `words`
    show = _add(commands, "show", _SHOW)
    show.add_argument(
        "keyring",
        nargs="?",
        metavar="KEYRING",
        help="@t, @p, @s, @u, @us or a serial number; by default all five",
    )
    how = show.add_mutually_exclusive_group()
    _add_json(how)
    how.add_argument("--dot", action="store_true", help="a graph for Graphviz's dot(1)")
    explain = _add(commands, "explain", _EXPLAIN)
    explain.add_argument(
        "key",
        metavar="KEY",
        help="TYPE:DESCRIPTION, a serial number (also 0x...), @t, @p, @s, @u or @us",
    )
    _add_json(explain)
    sessions = _add(commands, "sessions", _SESSIONS)
    _add_json(sessions)
    watch = _add(commands, "watch", _WATCH)
    watch.add_argument(
        "key",
        nargs="?",
        default="@s",
        metavar="KEY",
        help="@t, @p, @s, @u, @us or a serial number; by default @s",
    )
    watch.add_argument("--json", action="store_true", help="a line of JSON for each event")
    _add(commands, "adopt", _ADOPT)
    test = _add(commands, "try", _TRY)
    test.add_argument("service", metavar="SERVICE", help="the PAM service, as in /etc/pam.d")
    test.add_argument("user", metavar="USER", help="the user of the session")
    how = test.add_mutually_exclusive_group()
    how.add_argument(
        "--password",
        action="store_true",
        help="authenticate first, with a password from the terminal",
    )
    how.add_argument(
        "--password-fd",
        type=int,
        metavar="N",
        help="authenticate first, with a password line from this descriptor",
    )
    test.add_argument("--confdir", metavar="FOLDER", help="instead of /etc/pam.d")
    _add_those_of_the_machine(commands)
    for name in COLOURED:
        commands.choices[name].add_argument(
            "--color", choices=output.WHEN, default="auto", help="when to use colours: auto"
        )
    return parser


# Commands with coloured output.
COLOURED = ("show", "explain", "sessions", "try", "check")


def _add_those_of_the_machine(commands: Any) -> None:
    check = _add(commands, "check", _CHECK, _EPILOG_OF_THREE)
    check.add_argument("--root", metavar="DIR", default="/", help="another system's folder")
    _add_json(check)
    check.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE[:SERVICE]",
        help="silence this rule; separate several with commas",
    )
    for name, text in (("enable", _ENABLE), ("disable", _DISABLE)):
        change = _add(commands, name, text, _EPILOG_OF_THREE)
        change.add_argument(
            "services", nargs="*", metavar="SERVICE", help="the PAM service, as in /etc/pam.d"
        )
        if name == "enable":
            change.add_argument(
                "--options", metavar="WORDS", help="of pam_pykeyinit(8), in place of force revoke"
            )
        else:
            change.add_argument(
                "--all", action="store_true", help="every service that enable has changed"
            )
        change.add_argument(
            "--dry-run", action="store_true", help="print the difference, and change nothing"
        )
        change.add_argument(
            "--user", default="root", metavar="USER", help="the user of the trial session: root"
        )


def _add(commands: Any, name: str, text: str, epilog: str = _EPILOG) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help="",
        description=text,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return made
