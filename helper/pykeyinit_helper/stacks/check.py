"""`pykeyinit-helper check`: what is wrong with the keyrings of a machine's logins."""

import json
import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from pam_pykeyinit.log import printable
from pykeyinit_helper.become import Refused
from pykeyinit_helper.output import Style
from pykeyinit_helper.saying import say
from pykeyinit_helper.stacks import edits, machine, rules, silence, stack
from pykeyinit_helper.stacks.entries import Stack
from pykeyinit_helper.stacks.finding import Finding
from pykeyinit_helper.stacks.folders import Folders

# Far above real systems: the folder of another system could be made to take hours.
_MOST_SERVICES = 1000
_MOST_ENTRIES = 20000


def check(root: str, ignored: Sequence[str], *, as_json: bool) -> int:
    """Print the findings, the worst first; 0 if nothing is wrong, 1 otherwise.

    `ignored` are names of rules whose findings are silenced.  Raises Refused.
    """
    where = Path(root).absolute()
    if not where.is_dir():
        raise Refused(f"no such folder: {root[:200]}")
    try:
        folders = machine.folders(where)
        silenced = silence.names(ignored, folders.below)
        names = folders.names()
        stacks, odd = _read(names, folders)
        entries = (entry for each in stacks for entry in each.entries)
        facts = machine.look(folders, entries, ignoring=silence.FILE)
    except OSError as error:
        raise Refused(f"cannot read {error.filename or where}: {error.strerror}") from error
    unseen = sorted(folders.below.unseen)
    if not stacks and not odd:
        if unseen:
            raise Refused(f"this user cannot read: {', '.join(unseen)}")
        raise Refused(f"there is no PAM service in {where / 'etc/pam.d'}: is this a system?")
    findings = [*odd, *rules.judge(stacks, facts)]
    shown, silent = silence.part(findings, silenced)
    mends = edits.one_a_file(finding.mend for finding in shown)
    shown = [each._replace(mend=mend) for each, mend in zip(shown, mends, strict=True)]
    shown, silent = ([_for(where, each) for each in part] for part in (shown, silent))
    if as_json:
        print(json.dumps(_object(where, names, shown, silent, unseen), indent=2))
    else:
        print(text(shown, len(silent), len(names), Style.of(sys.stdout)))
        if unseen:
            needs = "" if os.geteuid() == 0 else ", which needs root"
            say(f"not checked{needs}: {', '.join(unseen)}")
    return 1 if any(finding.rule not in rules.NOTES for finding in shown) else 0


def _read(names: Sequence[str], folders: Folders) -> tuple[list[Stack], list[Finding]]:
    """The stacks of the services, and findings about files that cannot be read.

    Files that this user may not read are skipped: Below remembers them.
    """
    stacks, odd, entries = [], [], 0
    if len(names) > _MOST_SERVICES:
        raise Refused(f"more than {_MOST_SERVICES} services in /etc/pam.d: is this a system?")
    for name in names:
        try:
            found = stack.read(name, folders)
        except PermissionError:
            continue
        except OSError as error:
            mend = f"{edits.BY_HAND}put a file there that libpam can read"
            what = f"{error.filename}: {error.strerror}"
            odd.append(Finding("unreadable", (name,), str(error.filename), 0, what, mend))
            continue
        stacks.append(found)
        entries += len(found.entries) + len(found.troubles)
        if entries > _MOST_ENTRIES:
            raise Refused(f"more than {_MOST_ENTRIES} lines in /etc/pam.d: is this a system?")
    return stacks, odd


def _for(root: Path, finding: Finding) -> Finding:
    """Mark a mend of another system, so that it is not run on this one by mistake."""
    if root == Path("/") or finding.mend.startswith(edits.BY_HAND):
        return finding
    return finding._replace(mend=f"in {shlex.quote(str(root))}: {finding.mend}")


def _object(
    root: Path, names: list[str], shown: list[Finding], silent: list[Finding], unseen: list[str]
) -> dict[str, object]:
    return {
        "schema": 1,
        "root": str(root),
        "services": names,
        "findings": [_finding(finding) for finding in shown],
        "ignored": [_finding(finding) for finding in silent],
        "unseen": unseen,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {**finding._asdict(), "note": finding.rule in rules.NOTES}


def text(findings: list[Finding], silenced: int, services: int, style: Style) -> str:
    """The report for people: three parts for each finding, and a summary."""
    lines = []
    for finding in findings:
        note = finding.rule in rules.NOTES
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        rule = f"{finding.rule} (note)" if note else finding.rule
        head = ": ".join(part for part in (place, ", ".join(finding.services), rule) if part)
        lines.append(style.bold(printable(head)))
        set_off = style.plain if note else style.alarm
        lines += [set_off(f"    {row}") for row in _rows(finding.what)]
        lines += [f"    {row}" for row in _rows(f"mend: {finding.mend}")]
    return "\n".join([*lines, f"{services} services: {_count(findings, silenced)}"])


def _rows(part: str) -> list[str]:
    """Fold to the terminal; a command stays in one line, to be pasted."""
    text = printable(part)
    if text.startswith("mend: ") and not text.startswith(f"mend: {edits.BY_HAND}"):
        return [text]
    return textwrap.wrap(text, 75, break_long_words=False, break_on_hyphens=False)


def _count(findings: list[Finding], silenced: int) -> str:
    notes = sum(finding.rule in rules.NOTES for finding in findings)
    wrong = len(findings) - notes
    parts = [_number(wrong, "finding") + ", the worst first"] if wrong else ["nothing to mend"]
    parts += [_number(notes, "note")] if notes else []
    parts += [f"{silenced} silenced"] if silenced else []
    return "; ".join(parts)


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"
