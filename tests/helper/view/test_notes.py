"""The kernel's records in a notification pipe, and the differences between two looks at keys."""

import struct

import pytest

from pykeyinit_helper.view.notes import GONE, LOST, SUBTYPES, Note, parse, set_size
from pykeyinit_helper.view.state import Event, State, differences
from support import headers

REQUEST = """
#include <linux/watch_queue.h>
numbers IOC_WATCH_QUEUE_SET_SIZE
"""


@pytest.mark.parametrize("name", sorted(headers.FOLDERS))
def test_the_request_for_notes_is_the_kernels(name: str) -> None:
    assert headers.numbers(name, REQUEST) == set_size(name)


def record(order: str, kind: int, subtype: int, *rest: int) -> bytes:
    sign = "<" if order == "little" else ">"
    head = subtype << 24 | kind if order == "little" else kind << 8 | subtype
    return struct.pack(f"{sign}{2 + len(rest)}I", head, 8 + 4 * len(rest) | 0x0700, *rest)


@pytest.mark.parametrize("order", ["little", "big"])
def test_every_note(order: str) -> None:
    data = b"".join(record(order, 1, number, 7, 9) for number in range(len(SUBTYPES)))
    linked = ("linked", "unlinked")
    assert list(parse(data, order)) == [
        Note(event, 7, 9 if event in linked else 0) for event in SUBTYPES
    ]


@pytest.mark.parametrize("order", ["little", "big"])
def test_notes_of_the_pipe_itself(order: str) -> None:
    gone = record(order, 0, 0, *((7, 0) if order == "little" else (0, 7)))
    assert list(parse(gone + record(order, 0, 1), order)) == [Note(GONE, 7), Note(LOST, 0)]


def test_what_is_not_known_is_passed_over() -> None:
    later = record("little", 1, 99, 7, 9) + record("little", 5, 2, 7, 9) + record("little", 0, 0)
    assert list(parse(later + record("little", 1, 5, 7, 0) + b"\0\0\0", "little")) == [
        Note("revoked", 7)
    ]
    assert list(parse(b"\0" * 64)) == []  # a length of zero does not stop it


RING = State("", "keyring", "_ses", 1000, 1000, 0x3F030000, (2, 3))


def _between(now: State) -> list[Event]:
    return list(differences({1: RING}, {1: now}))


def test_what_two_looks_tell() -> None:
    assert _between(RING) == []
    assert _between(RING._replace(links=(3, 4))) == [
        Event("linked", 1, 4),
        Event("unlinked", 1, 2),
    ]
    assert _between(RING._replace(links=None)) == []
    changed = RING._replace(mask=0x3F0B0000, uid=1001)
    words = "uid 1000 to 1001, permissions 3f030000 to 3f0b0000"
    assert _between(changed) == [Event("changed", 1, 0, words)]
    for error, event in (
        ("EKEYREVOKED", "revoked"),
        ("EKEYEXPIRED", "expired"),
        ("ENOKEY", "gone"),
        ("EACCES", "changed"),
    ):
        dead = RING._replace(error=error)
        assert _between(dead) == [Event(event, 1, 0, error)]
        assert list(differences({1: dead}, {1: dead})) == []
    assert list(differences({1: RING}, {})) == []
