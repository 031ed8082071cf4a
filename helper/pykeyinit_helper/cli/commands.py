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
    """Run one; the exit status: 0 yes, 1 no, 125 wrong usage or no way to tell."""
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
        say(f"{missing}: {_how_to_get(package)}; run, adopt and check do without")
        return _failed(arguments)
    except OSError as error:
        say(f"cannot write: {error.strerror}")
        os._exit(_failed(arguments))  # a second attempt to flush would only fail again
    return status


# What is imported, and Debian's package of it.
_PACKAGES = {
    "keyutils": "python3-keyutils",
    "pamela": "python3-pamela",
    "pam": "python3-pampy",
    "six": "python3-six",  # python-pam wants it, and Debian's does not say so
}


def _how_to_get(package: str) -> str:
    """The commands that bring a package, and the others of the extra `inspect` with it."""
    if sys.prefix == sys.base_prefix:
        return f"apt-get install {' '.join(_PACKAGES.values())}"
    extra = "pip install 'pam_pykeyinit[inspect]'"
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
    except SystemExit as end:  # --help, --version, or what error() has said
        return _failed(arguments) if end.code else 0
    if sys.version_info < (3, 11):  # noqa: UP036  # laid beside `run`, which 3.9 does for
        raise Refused("Python 3.11 or later is needed for all but `run`")
    if asked.command in parser.COLOURED:
        output.choose(asked.color)
    return ACTIONS[asked.command](asked)


def _failed(arguments: list[str]) -> int:
    """The status of what cannot be told: those about the machine say 2, as grep and diff do."""
    return 2 if arguments[0:1] and arguments[0] in _OF_THE_MACHINE else HELPER_FAILED


_OF_THE_MACHINE = ("check", "enable", "disable")
