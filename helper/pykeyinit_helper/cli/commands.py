"""The subcommands other than `run`, from the command line to the exit status."""

import os
import signal
import sys

from pykeyinit_helper import output
from pykeyinit_helper.become import Refused
from pykeyinit_helper.cli import parser
from pykeyinit_helper.cli.actions import ACTIONS
from pykeyinit_helper.run.execute import HELPER_FAILED
from pykeyinit_helper.saying import say


def main(arguments: list[str]) -> int:
    """Run one; the exit status: 0 yes, 1 no, 125 wrong usage or unknown."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # show | head ends quietly
    try:
        if sys.stdout is None:
            raise Refused("standard output is closed")
        status = _parse_and_act(arguments)
        sys.stdout.flush()
    except Refused as refusal:
        say(str(refusal))
        return _failed(arguments)
    except ImportError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        say(f"{missing}: {_how_to_get(package)}; run, sessions, watch, adopt and check do without")
        return _failed(arguments)
    except OSError as error:
        say(f"cannot write: {error.strerror}")
        os._exit(_failed(arguments))  # a second attempt to flush would only fail again
    return status


# The imports, and their Debian packages.
_PACKAGES = {
    "keyutils": "python3-keyutils",
    "pamela": "python3-pamela",
    "pam": "python3-pampy",
    "six": "python3-six",  # python-pam needs it, but Debian's package does not depend on it
}


def _how_to_get(package: str) -> str:
    """The commands that install a package, with the others of the extra `inspect`."""
    extra = "pip install 'pam_pykeyinit[inspect]'"
    if sys.prefix == sys.base_prefix:
        install = f"apt-get install {' '.join(_PACKAGES.values())}"
        if package != "keyutils":
            return install
        return f"{install}; if Debian has no python3-keyutils, in a virtual environment: {extra}"
    if package != "keyutils":
        return extra
    return (
        "apt-get install gcc python3-dev libkeyutils-dev, then in this environment: "
        "pip install 'cython<3.1' setuptools wheel && "
        f"pip install --no-build-isolation keyutils && {extra}"
    )


def _parse_and_act(arguments: list[str]) -> int:
    if not arguments:
        parser.make().print_help(sys.stderr)
        return HELPER_FAILED
    try:
        asked = parser.make().parse_args(arguments)
    except SystemExit as end:  # --help, --version, or after error()
        return _failed(arguments) if end.code else 0
    if sys.version_info < (3, 11):  # noqa: UP036  # installed with `run`, which works with 3.9
        raise Refused("Python 3.11 or later is needed for all but `run`")
    if asked.command in parser.COLOURED:
        output.choose(asked.color)
    return ACTIONS[asked.command](asked)


def _failed(arguments: list[str]) -> int:
    """The status for an unknown answer: 2 for commands about the machine, as in grep and diff."""
    return 2 if arguments[0:1] and arguments[0] in _OF_THE_MACHINE else HELPER_FAILED


_OF_THE_MACHINE = ("check", "enable", "disable")
