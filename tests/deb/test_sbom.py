"""The bill of materials that ./setup deb writes: SPDX 2.3."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.privileged


@pytest.fixture
def bill(package: Path) -> Path:
    """The document of this tree's package."""
    return package.with_name(package.name + ".spdx.json")


PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def test_it_is_of_this_very_package(package: Path, bill: Path, tmp_path: Path) -> None:
    read = json.loads(bill.read_text())
    ours, *needed = read["packages"]
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    assert ours["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]

    subprocess.run(["/usr/bin/dpkg-deb", "--extract", package, tmp_path], check=True)
    laid = {
        f"./{path.relative_to(tmp_path)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    listed = {file["fileName"]: file["checksums"][1]["checksumValue"] for file in read["files"]}
    assert listed == laid
    assert any(name.endswith("/security/pam_pykeyinit.so") for name in listed)

    names = {one["name"] for one in needed}
    assert {"python3-pamela", "python3-pampy", "libpam0g", "libc6"} <= names
    assert [one for one in needed if not one.get("versionInfo")] == []
    linked = [each for each in read["relationships"] if each["relationshipType"] == "STATIC_LINK"]
    assert [each["spdxElementId"] for each in linked] == [f"SPDXRef-inside-{PYTHON}"]
    assert PYTHON in names


def test_the_standards_own_checker_finds_nothing(bill: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", venv], check=True)
    pip = (venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([str(word) for word in (*pip, "spdx-tools==0.8.3")], check=True)

    def check(document: Path) -> int:
        command = [str(venv / "bin/pyspdxtools"), "--infile", str(document)]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert check(bill) == 0
    broken = tmp_path / "broken.spdx.json"
    broken.write_text(bill.read_text().replace('"CC0-1.0"', '"of my own"'))
    assert check(broken) != 0
