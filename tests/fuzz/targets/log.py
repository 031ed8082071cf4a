"""Escaping for the log: user names come from the network."""

import unicodedata

from pam_pykeyinit import log

MODULES = ("pam_pykeyinit.log",)
WORDS = ("\\", "\\x0a", "\n", "\x1b[2J", "\x7f", "\x9b", "\u2028", "\u202e", "\ufeff", "\\u", "ä")


def check(data: bytes) -> None:
    """The result is one line, without control characters, and can be decoded."""
    text = data.decode("utf-8", "surrogateescape")
    shown = log.printable(text)
    for char in shown:
        category = unicodedata.category(char)
        assert char == " " or category[0] not in "CZ", (text, shown, category)
    # Undo \x, \u and \U; printable text is unchanged.  So no two texts have the same result.
    assert shown.encode("ascii", "backslashreplace").decode("unicode_escape") == text, shown
    if text.isascii() and text.isprintable() and "\\" not in text:
        assert shown == text
