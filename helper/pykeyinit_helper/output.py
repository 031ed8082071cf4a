"""Fit output to the terminal, with colour on a terminal, as --color and NO_COLOR say."""

import functools
import os
import pwd
import re
import unicodedata
from typing import NamedTuple, TextIO

WHEN = ("auto", "always", "never")
_when = "auto"


class Mend(NamedTuple):
    """A command; `name` is that of its maker in mends.MAKERS.  Only these make commands."""

    name: str
    command: str


@functools.cache
def user_name(uid: int) -> str:
    """The name of a uid, or the number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def choose(when: str) -> None:
    """Set the value of --color, one of WHEN, for the following output."""
    global _when
    _when = when


class Style:
    """How text is highlighted."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    @classmethod
    def of(cls, stream: TextIO) -> "Style":
        """The style for a stream."""
        if _when != "auto":
            return cls(colour=_when == "always")
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(colour=stream.isatty() and not plain)

    def bold(self, text: str) -> str:
        """A heading."""
        return self._set("1", text)

    def dim(self, text: str) -> str:
        """Less important text."""
        return self._set("2", text)

    def alarm(self, text: str) -> str:
        """An error."""
        return self._set("31", text)

    def plain(self, text: str) -> str:
        """The text alone."""
        return text

    def _set(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[m" if self._colour and text else text


TOGETHER = "\0"  # a blank at which no line ends: in a command within a sentence
LEAST = 20  # columns; what is narrower is not laid out for


def width(stream: TextIO) -> int:
    """The number of columns: COLUMNS, or that of the terminal; 0 if there is no terminal."""
    reported = os.environ.get("COLUMNS", "")
    if reported.isascii() and reported.isdigit() and int(reported[:6]) > 0:
        return max(LEAST, int(reported[:6]))
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0
    return max(LEAST, columns) if columns else 0


def fold(line: str, columns: int, indent: int) -> list[str]:
    """Fold a line to columns, between words if possible; indent all pieces but the first.

    0 columns means no folding.  Colours take no column, some characters take two.
    """
    if not columns:
        return [line]
    pieces: list[str] = []
    piece, used = "", 0
    indent = min(indent, columns // 2)
    for part in re.findall(r"\s+|\S+", line):
        size = _columns(part)
        begun = used > (indent if pieces else 0)
        if part.isspace() and (used + size >= columns or (pieces and not begun)):
            continue_here = begun
        else:
            continue_here = begun and used + size > columns and size <= columns - indent
        if continue_here:
            pieces.append(piece.rstrip())
            piece, used = " " * indent, indent
        if part.isspace() and pieces and used == indent:
            continue
        for mark in re.findall(r"\x1b\[\d*m|.", part):
            cells = _columns(mark)
            if used + cells > columns:
                pieces.append(piece)
                piece, used = " " * indent, indent
            piece, used = piece + mark, used + cells
    return [*pieces, piece.rstrip()]


def fold_command(command: str, columns: int, first: int) -> str:
    """Fold a shell command with continuation lines.

    `first` columns are already used.  Words are not split, so that it can be pasted.
    """
    if not columns:
        return command
    text, used = "", first
    for word in _shell_words(command):
        size = _columns(word)
        if text and used + 1 + size + 2 > columns:
            text, used = f"{text} \\\n   {word}", 3 + size
        else:
            text, used = f"{text} {word}" if text else word, used + bool(text) + size
    return text


def mend_lines(mend: Mend, style: Style, columns: int, title: str = "To mend it:") -> list[str]:
    """The lines of a command, with its notes for the reader."""
    command = fold_command(mend.command, columns, len(title) + 1)
    out = [f"{style.bold(title)} {command}"]
    if " DATA " in mend.command:
        out += fold("  (DATA stands for what the key is to hold.)", columns, 2)
    return out


def _shell_words(command: str) -> list[str]:
    """The words of a command, with their quotes: only the quoting of mends.word() occurs."""
    return re.findall(r"(?:'[^']*'|\"\$\([^\"]*\)\"|[^\s'\"])+|\"", command)


def _columns(text: str) -> int:
    plain = re.sub(r"\x1b\[\d*m", "", text)
    return sum(_cells(char) for char in plain)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
