"""How a command line names keys and keyrings.  Pure."""

from typing import NamedTuple

ANCHORS = ("@t", "@p", "@s", "@u", "@us")  # as keyctl(1) has them

_HIGHEST = 2**31 - 1


class Asked(NamedTuple):
    """The argument: one of ANCHORS, a serial number, or a type and a description."""

    text: str  # as it was typed
    anchor: str = ""
    serial: int = 0
    kind: str = ""
    description: str = ""


def parse(word: str) -> Asked | None:
    """Parse a key in the syntax of keyctl(1), or TYPE:DESCRIPTION; None if it is neither."""
    if word in ANCHORS:
        return Asked(word, anchor=word)
    if number := serial(word):
        return Asked(word, serial=number)
    kind, colon, description = word.removeprefix("%").partition(":")
    if word.startswith("%") and not kind:
        kind = "keyring"
    if not (colon and kind and description):
        return None
    return Asked(word, kind=kind, description=description)


def serial(word: str) -> int:
    """Parse a serial number, decimal or as 0x..., positive, 32 bits; or 0."""
    digits, base = (word[2:], 16) if word[:2] in ("0x", "0X") else (word, 10)
    if not (word.isascii() and digits.isalnum() and len(digits) <= 12):
        return 0
    try:
        number = int(digits, base)
    except ValueError:
        return 0
    return number if number <= _HIGHEST else 0


def is_keyring(word: str) -> bool:
    """Whether it may be a keyring: a special name, or a serial number."""
    return word in ANCHORS or serial(word) > 0
