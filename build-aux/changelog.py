"""changelog.py debian SUFFIX NOW | epoch | release: CHANGELOG.md, for builds and releases.

  debian SUFFIX NOW   print debian/changelog, with SUFFIX after each version; what has no
                      date yet is of NOW, in seconds
  epoch               print the newest release's date in seconds, if it has one
  release             fail unless the version of the package has a date and notes

A release begins with `## 1.2.3 (2026-11-23)`, and one that is not out yet with
`## 1.2.3 (not released)`; its notes are the items that follow.
"""

import datetime
import email.utils
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"## (\d+\.\d+\.\d+) \((not released|\d{4}-\d\d-\d\d)\)")
MAINTAINER = re.compile(r"^Maintainer: (.*)$", re.MULTILINE)


class Wrong(Exception):
    """The change log is not what a release needs; the text says what to do."""


@dataclass
class Release:
    """One version: its date (None before it is out) and its notes, an item each."""

    version: str
    date: datetime.date | None
    notes: list[str]

    @property
    def epoch(self) -> int | None:
        """The date's midnight in UTC, as seconds since 1970."""
        if self.date is None:
            return None
        midnight = datetime.datetime.combine(self.date, datetime.time(), datetime.UTC)
        return int(midnight.timestamp())


def parse(text: str) -> list[Release]:
    """The releases of a change log, newest first."""
    releases: list[Release] = []
    for line in text.splitlines():
        if line.startswith("## "):
            match = HEADING.fullmatch(line)
            if not match:
                raise Wrong(
                    f"{line!r} is not '## 1.2.3 (2026-11-23)' or '## 1.2.3 (not released)'"
                )
            out = match[2] != "not released"
            date = datetime.date.fromisoformat(match[2]) if out else None
            releases.append(Release(match[1], date, []))
        elif line.startswith("- ") and releases:
            releases[-1].notes.append(line[2:].strip())
        elif line.startswith("  ") and releases and releases[-1].notes:
            releases[-1].notes[-1] += " " + line.strip()
    if not releases:
        raise Wrong("CHANGELOG.md has no release")
    return releases


def debian(releases: list[Release], suffix: str, maintainer: str, now: int) -> str:
    """debian/changelog.  What is not out yet sorts before what will be, and is dated `now`.

    A version that was never released, and is not the newest, has no entry.
    """
    entries = []
    for release in releases:
        if release.date is None and release is not releases[0]:
            continue
        version = release.version + ("" if release.date else "~dev") + suffix
        suite = "unstable" if release.date else "UNRELEASED"
        date = email.utils.formatdate(now if release.epoch is None else release.epoch)
        date = date.replace("-0000", "+0000")
        entries.append(
            f"pam-pykeyinit ({version}) {suite}; urgency=medium\n\n"
            "  * What is new in this release is in CHANGELOG.md.\n\n"
            f" -- {maintainer}  {date}\n"
        )
    return "\n".join(entries)


def check_release(releases: list[Release], version: str) -> None:
    """Raise Wrong unless this version is the newest, is dated, and says what changed."""
    newest = releases[0]
    if newest.version != version:
        raise Wrong(f"the newest notes are for {newest.version}: write some for {version}")
    if newest.date is None:
        raise Wrong(f"{version} is 'not released': put the day of the release in its heading")
    if not newest.notes:
        raise Wrong(f"{version} has no notes: say what changed, an item ('- ') each")


def package_version() -> str:
    """What the package says of itself."""
    text = (ROOT / "pam_pykeyinit/__init__.py").read_text()
    match = re.search(r'^__version__ = "(.*)"$', text, re.MULTILINE)
    if not match:
        raise Wrong("pam_pykeyinit/__init__.py has no __version__")
    return match[1]


def main(arguments: list[str]) -> int:
    """Do what the first word says; 2 for a word that is none."""
    try:
        releases = parse((ROOT / "CHANGELOG.md").read_text())
        if arguments[:1] == ["debian"] and len(arguments) == 3:
            match = MAINTAINER.search((ROOT / "debian/control").read_text())
            if not match:
                raise Wrong("debian/control has no Maintainer")
            _, suffix, now = arguments
            sys.stdout.write(debian(releases, suffix, match[1], int(now)))
        elif arguments == ["epoch"]:
            sys.stdout.write(f"{releases[0].epoch or ''}\n")
        elif arguments == ["release"]:
            check_release(releases, package_version())
        else:
            sys.stderr.write(f"{__doc__}")
            return 2
    except Wrong as wrong:
        sys.stderr.write(f"changelog: {wrong}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
