"""Scripts: the calls, and the exact log lines.

    [stack]     the service file; MODULE is replaced by the loader of our module
    [run]       commands for pamdrive; "= CODE" after a PAM call is the expected result
    [output]    LEVEL KIND: TEXT, one line each, in order; "#" is any serial number

Without [output], or with an empty one, nothing may be logged.  Log lines of pam_python itself
are ignored.
"""

import re
from pathlib import Path

import pytest

from pam_pykeyinit import codes
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

SCRIPTS = sorted(Path(__file__).parent.glob("*.script"))
CODES = {**vars(codes), "PAM_CONV_ERR": 19, "PAM_PERM_DENIED": 6}


def _sections(text: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), [])
        elif line.strip() and not line.startswith("#"):
            section.append(line.strip())
    return sections


def _run(commands: list[str]) -> tuple[str, list[int]]:
    """The script for pamdrive, and the expected codes."""
    script, expected = [], []
    for command in commands:
        call, _, code = command.partition(" = ")
        script.append(call)
        if code:
            expected.append(CODES[code])
    return "\n".join([*script, ""]), expected


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path, driver: Driver, loader: str, journal: Journal) -> None:
    sections = _sections(path.read_text())
    stack = "\n".join(sections["stack"]).replace("MODULE", loader)
    script, expected = _run(sections["run"])
    outcome = driver.run(driver.services(s=stack), script)

    assert outcome.codes() == expected
    logged = [
        re.sub(r"(?<![\w.:])\d{6,}", "#", f"{line.level} {line.text}") for line in journal.ours()
    ]
    wanted = [
        re.sub(r"^(\w+) (\w+): ", r"\1 pam_pykeyinit(s:\2): ", line)
        for line in sections.get("output", [])
    ]
    assert logged == wanted
