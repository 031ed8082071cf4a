"""The parser of PAM stacks, compared with libpam: the called modules, and their arguments."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from helper.stacks import generated
from helper.stacks.walk import calls
from pykeyinit_helper.stacks import pamconf, stack
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.folders import Folders

pytestmark = pytest.mark.privileged

TYPES = Path("/usr/include/security/_pam_types.h")
MINOR = int(re.findall(r"__LINUX_PAM_MINOR__ (\d+)", TYPES.read_text())[0])  # 0 before 1.6

CALLS = {"auth": "authenticate", "account": "acct_mgmt", "session": "open_session"}
SCRIPT = "start 1 svc root\nauth 1\nacct 1\nopen 1\nend 1\n"


def really(pamdrive: Path, folder: Path) -> tuple[str, list[int]]:
    """The modules that libpam calls, a line each, and the codes; none if it cannot start."""
    notes = folder / "notes"
    notes.write_text("")
    done = subprocess.run(
        [pamdrive, folder], input="start 1 svc root\n", capture_output=True, text=True
    )
    if '"code":0' not in done.stdout:
        return "", []
    environment = {"PATH": "/usr/bin:/bin", "PAM_NOTES": str(notes)}
    done = subprocess.run(
        [pamdrive, folder], input=SCRIPT, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    codes = [line for line in done.stdout.splitlines() if line.startswith('{"call"')]
    return (
        notes.read_text(),
        [int(line.split(":")[-1].rstrip("}")) for line in codes[1:-1]],
    )


def code_of(entry: Entry) -> int:
    """As pam_note.c."""
    if entry.module == "/no/such.so":
        return pamconf.MODULE_UNKNOWN
    codes = [word[5:] for word in entry.arguments if word.startswith("code=")]
    return int(codes[-1]) if codes else 0


def read_in(folder: Path, service: str = "svc") -> Stack:
    return stack.read(service, Folders(services=(folder,), includes=(folder,)))


def predicted(read: Stack) -> tuple[str, list[int]]:
    """The same as really(), without libpam."""
    return calls(read, CALLS, code_of, lambda entry: entry.module != "/no/such.so")


def lay(folder: Path, files: dict[str, str], module: Path) -> None:
    for name, text in files.items():
        where = {"module": str(module), "folder": str(folder)}
        for word, value in where.items():
            text = text.replace(f"{{{word}}}", value)
        (folder / name).write_text(text)


def test_generated_stacks(
    pamdrive: Path, pam_note: Path, tmp_path: Path, pytestconfig: pytest.Config,
    tally: dict[str, int],
) -> None:  # fmt: skip
    number = 5000 if pytestconfig.getoption("--long") else 400
    seen: dict[str, int] = {}

    @settings(
        max_examples=number, deadline=None, derandomize=number == 400, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(generated.folders())
    def compare(files: dict[str, str]) -> None:
        folder = tmp_path / "pam.d"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        lay(folder, files, pam_note)
        read = read_in(folder)
        troubles = (*read.troubles, *read_in(folder, "other").troubles)
        if MINOR >= 6 and any("before 1.6" in trouble.text for trouble in troubles):
            seen["apart"] = seen.get("apart", 0) + 1  # the parser follows earlier versions
            return
        real = really(pamdrive, folder)
        assert predicted(read) == real
        seen["stacks"] = seen.get("stacks", 0) + 1
        seen["calls"] = seen.get("calls", 0) + real[0].count("\n")
        seen["refused"] = seen.get("refused", 0) + (not real[1])

    compare()
    assert seen["calls"] > number, seen  # an empty comparison would also agree
    assert seen["refused"] < seen["stacks"] / 2
    assert seen.get("apart", 0) < number / 3
    tally["generated PAM stacks beside libpam"] = seen["stacks"]


HERE = "session required {module} here\n"


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        (f"{HERE}session required {{module}}\0 \\\n", True),  # since 1.6 the file is incomplete
        (f"\0\\ \n{HERE}", True),
        (f"session required {{module}} a \0 \\\n{HERE}", True),
        (f"session required {{module}} a \\\0 b\n{HERE}", True),
        (f"session required {{module}} a \0 b\n{HERE}", False),
        (f"session required {{module}} a # b \0\\\n{HERE}", False),
    ],
)
def test_what_stands_behind_a_nul(
    pamdrive: Path, pam_note: Path, tmp_path: Path, text: str, *, apart: bool
) -> None:
    lay(tmp_path, {"svc": text, "other": ""}, pam_note)
    read = read_in(tmp_path)
    assert any("NUL byte: libpam" in trouble.text for trouble in read.troubles) == apart
    assert (predicted(read) == really(pamdrive, tmp_path)) == (MINOR < 6 or not apart)


@pytest.mark.parametrize("end", ["\\\n#", "session required {module} \\\n\n"])
def test_a_file_whose_end_is_a_backslash_and_a_line_of_nothing(
    pamdrive: Path, pam_note: Path, tmp_path: Path, end: str
) -> None:
    """Before 1.6 it is incomplete; since then the empty line ends the last line."""
    lay(tmp_path, {"svc": f"{HERE}{end}", "other": ""}, pam_note)
    read = read_in(tmp_path)
    assert any("empty line: libpam" in trouble.text for trouble in read.troubles)
    assert (predicted(read) == really(pamdrive, tmp_path)) == (MINOR < 6)
