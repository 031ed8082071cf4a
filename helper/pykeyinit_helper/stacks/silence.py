"""Silence findings that the administrator knows.

The words are RULE, or RULE:SERVICE for one service alone: in /etc/pykeyinit-helper/ignore,
one on each line, with `#` before comments; or with --ignore, separated by commas.
"""

from collections.abc import Iterable
from pathlib import Path

from pykeyinit_helper.become import Refused
from pykeyinit_helper.stacks import rules
from pykeyinit_helper.stacks.below import Below
from pykeyinit_helper.stacks.finding import Finding

FILE = Path("/etc/pykeyinit-helper/ignore")


def names(words: Iterable[str], below: Below) -> set[str]:
    """The words of the option and, on the running machine, of the file.

    The file of another system is not read, so that it cannot hide mistakes.
    Raises Refused for an unknown rule, and if the file cannot be read.
    """
    found = [(part.strip(), "--ignore") for word in words for part in word.split(",")]
    if below.root == Path("/") and below.status(FILE) is not None:
        try:
            text = below.read(FILE).decode("utf-8", "replace")
        except OSError as error:
            raise Refused(f"cannot read {FILE}: {error.strerror}") from error
        for number, line in enumerate(text.splitlines(), 1):
            found += [(word, f"{FILE}:{number}") for word in line.partition("#")[0].split()]
    for name, where in found:
        if name.partition(":")[0] not in rules.NAMES:
            known = ", ".join(rules.NAMES)
            raise Refused(f"{where}: no rule has the name {name[:64]!r}; they are {known}")
    return {name for name, _ in found}


def part(findings: Iterable[Finding], silenced: set[str]) -> tuple[list[Finding], list[Finding]]:
    """The findings to report, and the silenced ones."""
    shown, silent = [], []
    for finding in findings:
        quiet = [name for name in finding.services if f"{finding.rule}:{name}" in silenced]
        loud = tuple(name for name in finding.services if name not in quiet)
        if finding.rule in silenced or (finding.services and not loud):
            silent.append(finding)
        else:
            shown.append(finding._replace(services=loud))
    return shown, silent
