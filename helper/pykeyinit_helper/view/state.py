"""The state of a key, and the differences between two states."""

import errno
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pam_pykeyinit.kernel.syscalls import KernelError
from pykeyinit_helper import keyctl
from pykeyinit_helper.view.reader import Reader

ENDS = (*keyctl.DEAD.values(), "invalidated")


class State(NamedTuple):
    """`error` is the errno of the inspection; then the rest is from an earlier one."""

    error: str = ""
    kind: str = ""
    description: str = ""
    uid: int = -1
    gid: int = -1
    mask: int = 0
    links: tuple[int, ...] | None = None


class Event(NamedTuple):
    """An event of a key; `other` is the key that was linked or unlinked, or 0."""

    name: str
    serial: int
    other: int = 0
    detail: str = ""


def look(reader: Reader, serial: int, before: State | None = None) -> State:
    """The present state."""
    try:
        kind, uid, gid, mask, description = keyctl.describe(serial)
    except KernelError as error:
        return (before or State())._replace(error=errno.errorcode.get(error.errno or 0, "?"))
    links = None
    if kind == "keyring":
        try:
            links = tuple(reader.links(serial))
        except KernelError:
            links = None
    return State("", kind, description, uid, gid, mask, links)


def differences(before: Mapping[int, State], after: Mapping[int, State]) -> Iterator[Event]:
    """The events for keys that existed before.  Pure."""
    for serial, then in before.items():
        now = after.get(serial)
        if now is None:
            continue
        if now.error:
            if now.error != then.error:
                yield Event(keyctl.DEAD.get(now.error, "changed"), serial, 0, now.error)
            continue
        if detail := attributes(then, now):
            yield Event("changed", serial, 0, detail)
        if then.links is not None and now.links is not None:
            old, new = set(then.links), set(now.links)
            yield from (Event("linked", serial, key) for key in now.links if key not in old)
            yield from (Event("unlinked", serial, key) for key in then.links if key not in new)


def attributes(then: State, now: State) -> str:
    """The changed attributes, in words; "" if none has changed."""
    words = []
    for name in ("uid", "gid"):
        if getattr(then, name) != getattr(now, name):
            words.append(f"{name} {getattr(then, name)} to {getattr(now, name)}")
    if then.mask != now.mask:
        words.append(f"permissions {then.mask:08x} to {now.mask:08x}")
    return ", ".join(words)
