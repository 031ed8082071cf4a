"""The tables in docs/logins.md.  A run changes what they say of its suite, and nothing else."""

from pathlib import Path
from typing import NamedTuple

from harness.plan import LOADERS

END = "<!-- to here -->"
EMPTY = "An empty place: that scenario is not for that loader, or was not part of that run."

Grid = dict[str, dict[str, str]]  # rows by their first cell, and each one's cells by heading


class Table(NamedTuple):
    """One place of the file: two grids, and the lines below them."""

    suites: Grid
    scenarios: Grid  # a heading is a suite and a loader
    notes: dict[str, list[str]]  # by what they are about, such as a suite


def put(file: Path, place: str, new: Table, titles: list[str]) -> None:
    """Change the table there; scenarios come in the order of these titles."""
    before, old, after = around(file.read_text(), place)
    file.write_text(before + written(merged(read(old), new, titles)) + after)


def around(text: str, place: str) -> tuple[str, str, str]:
    """What is before the table, the table, and what is after it, with both marks.

    The table is from the line that begins with `place` to END; raises ValueError without them.
    """
    before, begin, rest = text.partition(place)
    line, _, rest = rest.partition("\n")
    table, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there are no lines that begin with {place!r} and {END!r}")
    return f"{before}{begin}{line}\n", table, end + after


def read(text: str) -> Table:
    """What written() wrote."""
    table = Table({}, {}, {})
    headings: list[str] = []
    for line in text.splitlines():
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        if line.startswith("| suite |"):
            grid, headings = table.suites, cells
        elif line.startswith("| scenario |"):
            grid, headings = table.scenarios, cells
        elif line.startswith("| "):
            pairs = zip(headings, cells, strict=True)
            grid[first] = {heading: cell for heading, cell in pairs if cell}
        elif line.startswith("- "):
            about, _, note = line[2:].partition(": ")
            table.notes.setdefault(about, []).append(note)
    return table


def merged(old: Table, new: Table, titles: list[str]) -> Table:
    """What `new` says of its suites, and what `old` says of others; scenarios as in `titles`."""

    def place(title: str) -> int:
        return titles.index(title) if title in titles else len(titles)

    scenarios: Grid = {}
    for title in sorted({**old.scenarios, **new.scenarios}, key=place):
        others = {
            heading: word
            for heading, word in old.scenarios.get(title, {}).items()
            if _suite(heading) not in new.suites
        }
        row = {**others, **new.scenarios.get(title, {})}
        if row:
            scenarios[title] = row
    notes = {about: lines for about, lines in old.notes.items() if about not in new.suites}
    return Table({**old.suites, **new.suites}, scenarios, {**notes, **new.notes})


def written(table: Table) -> str:
    """As Markdown, suites by their names."""
    suites = dict(sorted(table.suites.items()))
    lines = _lines("suite", suites, _headings(suites))
    headings = sorted(_headings(table.scenarios), key=_column)
    lines += ["", *_lines("scenario", table.scenarios, headings), "", EMPTY]
    lines += [""] * bool(table.notes)
    lines += [f"- {about}: {note}" for about in sorted(table.notes) for note in table.notes[about]]
    return "\n".join(lines) + "\n"


def _suite(heading: str) -> str:
    return _column(heading)[0]


def _column(heading: str) -> tuple[str, int]:
    suite, _, loader = heading.rpartition(" ")
    return suite, LOADERS.index(loader)


def _headings(grid: Grid) -> list[str]:
    return list(dict.fromkeys(heading for row in grid.values() for heading in row))


def _lines(first: str, grid: Grid, headings: list[str]) -> list[str]:
    rows = [[name, *(row.get(heading, "") for heading in headings)] for name, row in grid.items()]
    lines = [f"| {' | '.join(cells)} |" for cells in [[first, *headings], *rows]]
    return [lines[0], "|---" * (len(headings) + 1) + "|", *lines[1:]]
