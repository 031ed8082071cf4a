"""`pykeyinit-helper try`: a real PAM session, and the keyrings before, inside and after it."""

import contextlib
import getpass
import json
import os
import pwd
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pam_pykeyinit.kernel import syscalls
from pam_pykeyinit.log import printable
from pykeyinit_helper.become import Refused
from pykeyinit_helper.change.trial_verdict import judge
from pykeyinit_helper.output import Style
from pykeyinit_helper.saying import say
from pykeyinit_helper.stacks import ours, pam_calls, stack
from pykeyinit_helper.stacks.folders import PAM_D
from pykeyinit_helper.stacks.pam_calls import How

_LOADS_PAM_PYTHON = (
    "This stack loads pam_python.so.  It does not take the lock of a Python program that is "
    "already running, so it crashes most of them; here it runs in a process of its own."
)


def trial(service: str, user: str, confdir: str | None, ask: bool, password_fd: int | None) -> int:
    """Print what happened; 0 if both sessions were correct.  Raises Refused."""
    folder = Path(confdir or PAM_D)
    try:
        pwd.getpwnam(user)
        found = stack.modules(service, folder)
    except (KeyError, ValueError):
        raise Refused(f"unknown user: {user[:64]} (see getent passwd)") from None
    except OSError as error:
        raise Refused(f"cannot read service {service[:64]}: {error}") from error
    if os.getuid() != 0 and os.getuid() != pwd.getpwnam(user).pw_uid:
        raise Refused("only root can open a session for another user: use sudo")
    password = _password(user, ask, password_fd)
    require("keyutils", "pamela", *(() if password is None else ("pam", "six")))

    style = Style.of(sys.stdout)
    print(style.bold(f"Service {printable(service)}, user {printable(user)}"))
    if stack.file(service, folder).name != service.lower():
        there = f'There is no {folder / service.lower()}: libpam uses "other" in its place.'
        print(style.alarm(printable(there)))
    print(f"Modules: {' '.join(printable(module) for module in found) or 'none'}")
    if stack.loads_pam_python(found):
        print(style.alarm(textwrap.fill(_LOADS_PAM_PYTHON, 79)))
    sys.stdout.flush()
    return _report(service, user, confdir, password, style)


def require(*clients: str) -> None:
    """Raise ModuleNotFoundError for a missing package, without importing it: see pam_calls."""
    for client in clients:
        if find_spec(client) is None:
            raise ModuleNotFoundError(f"No module named '{client}'", name=client)


def _password(user: str, ask: bool, descriptor: int | None) -> str | None:
    if descriptor is not None:
        try:
            with os.fdopen(descriptor, encoding="utf-8", closefd=descriptor > 2) as file:
                return file.readline().rstrip("\n")
        except (OSError, ValueError) as error:
            raise Refused(f"cannot read the password from descriptor {descriptor}") from error
    if not ask:
        return None
    if not sys.stdin.isatty():
        raise Refused("--password needs a terminal: use --password-fd N")
    return getpass.getpass(f"Password of {printable(user)}: ")


def messages(service: str, user: str, how: How) -> Iterator[dict[str, Any]]:
    """The messages of a PAM session in a process of its own, as they come.

    Each call with its `code` and `text`, each look at
    keyrings with `when` and its `lines`, keys that are `stored`, how it is `after`; in the end
    `killed` by which signal or `status` if that was not 0.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            _play(service, user, how, writing)
            status = 0
        except Exception as error:
            say(f"the process that called PAM failed: {type(error).__name__}: {error}")
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        for line in pipe:
            yield json.loads(line)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        yield {"killed": os.WTERMSIG(status)}
    elif status != 0:
        yield {"status": os.WEXITSTATUS(status)}


# The order of calls matters to modules that store keys, and to ours.
_ORDERS = {
    "setcred, then open_session, as su, sshd, cron and gdm do": True,
    "open_session, then setcred, as login does": False,
}


def _report(
    service: str, user: str, confdir: str | None, password: str | None, style: Style
) -> int:
    """Print each message as it comes, and a verdict on each order of calls."""
    from pykeyinit_helper.change import trial_looks

    good, auth = True, stack.auth(service, Path(confdir or PAM_D))
    makes = any(ours.is_maker(entry) and ours.always_makes(entry) for entry in auth)
    for order, credentials_first in _ORDERS.items():
        print(style.bold(f"\n{order}:"))
        seen: list[dict[str, Any]] = []
        how = How(confdir, password, credentials_first, makes=credentials_first and makes)
        try:
            for message in messages(service, user, how):
                seen.append(message)
                _print(message, user, style)
                sys.stdout.flush()
        finally:
            trial_looks.take_back(seen)
        verdict = judge(user, seen)
        mark = style.plain if verdict.good else style.alarm
        said = f"Verdict: {'good' if verdict.good else 'wrong'}: {printable(verdict.text)}"
        print(mark(textwrap.fill(said, 79, break_on_hyphens=False)))
        good = good and verdict.good
    return 0 if good else 1


def _print(message: dict[str, Any], user: str, style: Style) -> None:
    if "call" in message:
        code = message["code"]
        text = f"pam: {message['call']}: {code} {printable(message['text'])}".rstrip()
        print(text if code == 0 else style.alarm(text))
    elif "when" in message:
        head = f"{message['when'].title()}, as {printable(user)}:"
        print("\n".join((style.bold(head), *message["lines"])))
    elif "after" in message:
        print(style.bold(f"After, as {printable(user)}:"))
        print(f"    the session keyring is {message['after']}")
    elif "killed" in message:
        number = message["killed"]
        say(f"the process that called PAM was killed by signal {number}: a module crashed it")


def _play(service: str, user: str, how: How, pipe: int) -> None:
    """In the child: open the session, and send a line of JSON for each message."""

    def send(message: dict[str, Any]) -> None:
        os.write(pipe, json.dumps(message).encode() + b"\n")

    look = _looking(user, how, send)

    def tell(step: pam_calls.Step) -> bool:
        send({"call": step[0], "code": step[1], "text": step[2]})
        return step[1] == 0

    look("before")
    if how.password is not None:
        step = pam_calls.authenticate(service, user, how.password, how.confdir)
        if not tell(step):
            return
    for step in pam_calls.session(service, user, how, look):
        tell(step)
    look("after")


def _looking(user: str, how: How, send: Callable[[dict[str, Any]], None]) -> Callable[[str], None]:
    """A function that examines the keyrings and sends the result."""
    displaced: list[Any] = []

    def look(what: str) -> None:
        from pykeyinit_helper.change import trial_looks

        if what in ("first", "stored"):
            if what == "first" and how.makes:
                with contextlib.suppress(syscalls.KernelError):  # a quota: then it sees less
                    displaced.append(trial_looks.Displaced())
            pam_calls.apart(lambda: send(trial_looks.stored()))
            while what == "stored" and displaced:
                send(displaced.pop().stored())
        elif what == "after":
            pam_calls.as_user(user, lambda: send(trial_looks.after()))
        else:
            pam_calls.as_user(user, lambda: send(trial_looks.keyrings(what)))

    return look if how.looks else lambda _: None
