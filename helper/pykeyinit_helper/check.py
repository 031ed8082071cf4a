"""`pykeyinit-helper check`: what is wrong with the keyrings of a machine's logins."""

import json
import sys
import textwrap
from pathlib import Path

from pam_pykeyinit.log import printable
from pykeyinit_helper import machine, rules, stack
from pykeyinit_helper.become import Refused
from pykeyinit_helper.finding import Finding
from pykeyinit_helper.output import Style


def check(root: str, *, as_json: bool) -> int:
    """Print what was found, the worst first; 0 if nothing, 1 if something.  Raises Refused."""
    where = Path(root).absolute()
    if not where.is_dir():
        raise Refused(f"no such folder: {root[:200]}")
    try:
        folders = machine.folders(where)
        names = folders.names()
        if not names:
            raise Refused(f"there is no PAM service in {where / 'etc/pam.d'}: is this a system?")
        stacks = [stack.read(name, folders) for name in names]
        facts = machine.look(where, (entry for each in stacks for entry in each.entries))
    except OSError as error:
        raise Refused(f"cannot read {error.filename or where}: {error.strerror}") from error
    findings = rules.judge(stacks, facts)
    if as_json:
        found = [finding._asdict() for finding in findings]
        told = {"schema": 1, "root": str(where), "services": names, "findings": found}
        print(json.dumps(told, indent=2))
    else:
        print(text(findings, len(names), Style.of(sys.stdout)))
    return 1 if findings else 0


def text(findings: list[Finding], services: int, style: Style) -> str:
    """For people: three parts a finding, and a last line that counts."""
    lines = []
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        # Of one that is about no file or about many services, the sentence has the names.
        names = ", ".join(finding.services) if finding.file else ""
        head = ": ".join(part for part in (place, names, finding.rule) if part)
        lines.append(style.bold(printable(head)))
        for part, set_off in ((finding.what, style.alarm), (f"mend: {finding.mend}", style.plain)):
            wrapped = textwrap.wrap(
                printable(part), 75, break_long_words=False, break_on_hyphens=False
            )
            lines += [set_off(f"    {line}") for line in wrapped]
    count = len(findings)
    some = f"{count} finding{'s' * (count > 1)}, the worst first"
    said = some if count else "nothing to mend"
    return "\n".join([*lines, f"{services} services: {said}"])
