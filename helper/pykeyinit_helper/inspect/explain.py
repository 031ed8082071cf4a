"""`pykeyinit-helper explain`: ask the kernel about one key, and explain the answer."""

import json
import sys
from typing import Any

from pam_pykeyinit.log import printable
from pykeyinit_helper.become import Refused
from pykeyinit_helper.inspect.case import Case, Finding
from pykeyinit_helper.inspect.diagnosis import diagnose
from pykeyinit_helper.inspect.examine import examine
from pykeyinit_helper.inspect.keynames import parse
from pykeyinit_helper.output import TOGETHER, Mend, Style, fold, mend_lines, width

SCHEMA = 1

_PAGE = 79  # columns without a terminal


def explain(word: str, *, as_json: bool) -> int:
    """Print the sentences and the command that mends it; 0 if the key can be used, else 1."""
    asked = parse(word)
    if asked is None:
        kinds = "a serial number, @s and the like, or TYPE:DESCRIPTION"
        raise Refused(f"not a key: {printable(word[:64])} ({kinds})")
    case = examine(asked)
    findings = diagnose(case)
    if as_json:
        print(json.dumps(document(case, findings), indent=2))
    else:
        columns = width(sys.stdout)
        print("\n".join(lines(case, findings, Style.of(sys.stdout), columns)))
    return 0 if case.good else 1


def mend_of(findings: list[Finding]) -> Mend | None:
    """The one command that is printed."""
    return next((finding.mend for finding in findings if finding.mend), None)


def lines(case: Case, findings: list[Finding], style: Style, columns: int = 0) -> list[str]:
    """The output: the answer, the sentences, and one command, or a task for others."""
    verdict = "can be used" if case.good else style.alarm("cannot be used")
    head = style.bold(f"{printable(case.asked.text)} {verdict} by this process.")
    out = fold(head, columns, 2)
    for finding in findings:
        out += fold(f"  {printable(finding.text)}", columns or _PAGE, 2)
    mend = mend_of(findings)
    there = next((finding.there for finding in findings if finding.there), None)
    if mend:
        out += mend_lines(mend, style, columns)
    elif there:
        out += mend_lines(there, style, columns, "In a process of that session:")
    else:
        tasks = dict.fromkeys(one.administrator for one in findings if one.administrator)
        for task in tasks:
            line = f"{style.bold('For the administrator:')} {task}"
            out += fold(line, columns or _PAGE, 2)
    return [line.replace(TOGETHER, " ") for line in out]


def document(case: Case, findings: list[Finding]) -> dict[str, Any]:
    """The same for programs.  pykeyinit-helper(8) documents it; SCHEMA changes with it."""
    mend = mend_of(findings)
    seen = bool(case.serial)
    tasks = dict.fromkeys(one.administrator for one in findings if one.administrator)
    todo = "; ".join(tasks).replace(TOGETHER, " ")
    there = next((one.there for one in findings if one.there), None)
    return {
        "schema": SCHEMA,
        "asked": case.asked.text,
        "user": case.user,
        "usable": case.good,
        "error": case.error or None,
        "readable": not case.reading if seen else None,
        "serial": case.serial or None,
        "type": case.kind or case.asked.kind or None,
        "description": case.description or case.asked.description or None,
        "owner": case.owner or None,
        "path": list(case.path),
        "findings": [{"code": one.code, "text": one.text} for one in findings],
        "mend": mend.command if mend else None,
        "there": there.command if there and not mend else None,
        "administrator": None if mend else todo or None,
    }
