"""Colour on a terminal, and only there, unless --color says otherwise; NO_COLOR is honoured."""

import os
from typing import TextIO

WHEN = ("auto", "always", "never")
_when = "auto"


def choose(when: str) -> None:
    """Take the word of --color, one of WHEN, for what is printed from here on."""
    global _when
    _when = when


class Style:
    """How words are set off."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    @classmethod
    def of(cls, stream: TextIO) -> "Style":
        """The style that fits where the text goes."""
        if _when != "auto":
            return cls(colour=_when == "always")
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(colour=stream.isatty() and not plain)

    def bold(self, text: str) -> str:
        """A heading."""
        return self._set("1", text)

    def dim(self, text: str) -> str:
        """Something in the background."""
        return self._set("2", text)

    def alarm(self, text: str) -> str:
        """Something that is wrong."""
        return self._set("31", text)

    def plain(self, text: str) -> str:
        """Just the text."""
        return text

    def _set(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[m" if self._colour and text else text
