"""Log lines forged by a name: what a log daemon writes to a file, line by line."""

from pathlib import Path

import pytest

from attacks import undefended
from support.journal import Journal

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

FORGED = "sshd[1]: Accepted publickey for root from 192.0.2.1"
NEW_LINE = "nobody%0a" + FORGED.replace(" ", "%20")
CLEAR_SCREEN = "nobody%1b[2J"
ESCAPE = "\x1b"


@pytest.mark.parametrize(
    ("without", "forged"), [([], False), (["what is logged is escaped"], True)]
)
def test_a_name_does_not_write_lines_of_its_own(
    without: list[str], forged: bool, pamdrive: Path, tmp_path: Path, journal: Journal
) -> None:
    driver = undefended.driver(tmp_path, pamdrive, *without)
    services = driver.services(s="session required pam_pykeyinit.so force")
    for name in (NEW_LINE, CLEAR_SCREEN):
        driver.run(services, f"start 0 s {name}\nopen 0\n")
    written = "\n".join(line.text for line in journal.ours())
    assert written.count("unknown user") == 2
    assert any(line.startswith(FORGED) for line in written.split("\n")) is forged
    assert (ESCAPE in written) is forged
