"""`pykeyinit-helper watch`: events of a key or a keyring, one on each line."""

import json
import select
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from pam_pykeyinit.kernel import syscalls
from pam_pykeyinit.kernel.syscalls import KernelError
from pam_pykeyinit.log import printable
from pykeyinit_helper import keyctl
from pykeyinit_helper.become import Refused
from pykeyinit_helper.inspect import keynames
from pykeyinit_helper.saying import NOTICE, say
from pykeyinit_helper.view.notes import Pipe
from pykeyinit_helper.view.state import Event, State
from pykeyinit_helper.view.watched import Watched

_SECONDS = 1.0  # between two checks for changes without notifications

SCHEMA = 1  # changes if a member is removed or its meaning changes


def watch(word: str, *, as_json: bool) -> int:
    """Print events until the key has ended, or the reader has closed.  Raises Refused."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # each line is flushed at once
    serial = _serial(word)
    try:
        pipe: Pipe | None = Pipe()
    except OSError:  # ENOPKG, EINVAL; a seccomp filter
        pipe = None
        say("no notifications in this kernel (CONFIG_WATCH_QUEUE): looking each second", NOTICE)
    try:
        watched = Watched(serial, pipe)
    except KernelError as error:
        raise Refused(f"cannot watch {word}: {error.call}: {error.strerror}") from error
    if watched.known[serial].error:
        raise Refused(f"cannot watch {word}: {watched.known[serial].error}")
    _begin(watched, serial, "notified" if pipe else "looking", as_json=as_json)
    while not watched.ended and _wait(pipe):
        events = watched.heard(pipe.notes()) if pipe and _readable(pipe) else watched.tick()
        for event in events:
            _tell(watched, event, as_json=as_json)
            watched.forget(event)
            if watched.ended:
                break
    return 0


def _serial(word: str) -> int:
    asked = keynames.parse(word)
    if asked is None or not (asked.anchor or asked.serial):
        raise Refused(f"no key: {printable(word[:64])} (@t @p @s @u @us, or a serial number)")
    if asked.serial:
        return asked.serial
    try:
        return syscalls.get_keyring_id(keyctl.SPECIAL[asked.anchor])
    except KernelError as error:
        raise Refused(f"cannot watch {word}: {error.call}: {error.strerror}") from error


def _wait(pipe: Pipe | None) -> bool:
    """Wait for input or the next check; return whether the output still has a reader."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # POLLERR for a pipe without a reader
    if pipe:
        poll.register(pipe.reading, select.POLLIN)
    found = dict(poll.poll(_SECONDS * 1000))
    return not found.get(sys.stdout.fileno(), 0) & (select.POLLERR | select.POLLNVAL)


def _readable(pipe: Pipe) -> bool:
    return bool(select.select([pipe.reading], [], [], 0)[0])


def _begin(watched: Watched, serial: int, how: str, *, as_json: bool) -> None:
    event = Event("watching", serial)
    if as_json:
        print(json.dumps({**_object(watched, event), "how": how}), flush=True)
    else:
        _tell(watched, event._replace(detail=how), as_json=False)


def _tell(watched: Watched, event: Event, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_object(watched, event)), flush=True)
        return
    words = [_now(), event.name, _words(event.serial, watched.known.get(event.serial, State()))]
    if event.other:
        words.append(_words(event.other, watched.known.get(event.other, State())))
    words += [f"({printable(event.detail)})"] if event.detail else []
    print(" ".join(words), flush=True)


def _object(watched: Watched, event: Event) -> dict[str, Any]:
    other = None
    if event.other:
        other = _key(event.other, watched.known.get(event.other, State()))
    return {
        "schema": SCHEMA,
        "time": _now(),
        "event": event.name,
        "key": _key(event.serial, watched.known.get(event.serial, State())),
        "other": other,
        "detail": event.detail or None,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _key(serial: int, state: State) -> dict[str, Any]:
    return {
        "serial": serial,
        "type": state.kind or None,
        "description": state.description if state.kind else None,
    }


def _words(serial: int, state: State) -> str:
    return f"{serial} {state.kind}:{printable(state.description)}" if state.kind else f"{serial}"
