"""The stacks of distributions that these tests use: the origin of each file is documented."""

import hashlib
import re
from pathlib import Path

import pytest

from support.pam_folder import DISTRIBUTIONS

STACKS = sorted(path for path in DISTRIBUTIONS.iterdir() if path.is_dir())


def files(system: Path) -> dict[str, Path]:
    return {path.name: path for path in system.rglob("pam.d/*")}


@pytest.mark.parametrize("system", STACKS, ids=lambda path: str(path.name))
def test_every_file_has_an_origin_and_no_other(system: Path) -> None:
    reported = {word.strip(":,.;()") for word in (system / "ORIGIN").read_text().split()}
    begun = tuple(word[:-1] for word in reported if word.endswith("*"))
    found = files(system)
    assert [name for name in found if name not in reported and not name.startswith(begun)] == []
    # Files that were not found are not in the tree.
    missing = re.findall(r"^Not found: (.*)$", (system / "ORIGIN").read_text(), re.MULTILINE)
    for name in re.findall(r"[a-z][a-z-]+", " ".join(missing).partition("(")[0]):
        assert name not in found


def test_what_arch_publishes_sums_of() -> None:
    (arch,) = (system for system in STACKS if system.name == "arch")
    rows = re.findall(r"^sha256 (\w{64}) (.*?) {3}", (arch / "ORIGIN").read_text(), re.MULTILINE)
    assert len(rows) > 5
    for expected, names in rows:
        for name in names.split():
            assert hashlib.sha256(files(arch)[name].read_bytes()).hexdigest() == expected, name
