"""The actions of the commands.  Each imports its own modules when it is called."""

import argparse
from collections.abc import Callable

from pykeyinit_helper.become import Refused
from pykeyinit_helper.inspect.keynames import is_keyring


def _show(asked: argparse.Namespace) -> int:
    if asked.keyring is not None and not is_keyring(asked.keyring):
        raise Refused(f"not a keyring: {asked.keyring[:64]} (@t @p @s @u @us, or a serial)")
    from pykeyinit_helper.inspect.show import show

    return show(asked.keyring, as_json=asked.json, as_dot=asked.dot)


def _explain(asked: argparse.Namespace) -> int:
    from pykeyinit_helper.inspect.explain import explain

    return explain(asked.key, as_json=asked.json)


def _sessions(asked: argparse.Namespace) -> int:
    from pykeyinit_helper.view.sessions import sessions

    return sessions(as_json=asked.json)


def _watch(asked: argparse.Namespace) -> int:
    from pykeyinit_helper.view.watch import watch

    return watch(asked.key, as_json=asked.json)


def _adopt(_: argparse.Namespace) -> int:
    from pykeyinit_helper.run.adopt import adopt

    return adopt()


def _try(asked: argparse.Namespace) -> int:
    from pykeyinit_helper.change.trial import trial

    return trial(asked.service, asked.user, asked.confdir, asked.password, asked.password_fd)


def _check(asked: argparse.Namespace) -> int:
    from pykeyinit_helper.stacks.check import check

    return check(asked.root, asked.ignore, as_json=asked.json)


def _change(asked: argparse.Namespace) -> int:
    from pykeyinit_helper.change import enable

    services, options = asked.services, None
    if asked.command == "enable":
        options = asked.options
    elif asked.all and not services:
        services = enable.enabled_services()
    elif asked.all:
        raise Refused("--all is every SERVICE: give none, or leave --all out")
    if not services and not getattr(asked, "all", False):
        raise Refused(f"no SERVICE; see pykeyinit-helper {asked.command} --help")
    return enable.change(
        services, enable.Asked(asked.command, asked.user, options, dry_run=asked.dry_run)
    )


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "show": _show,
    "explain": _explain,
    "sessions": _sessions,
    "watch": _watch,
    "adopt": _adopt,
    "try": _try,
    "check": _check,
    "enable": _change,
    "disable": _change,
}
