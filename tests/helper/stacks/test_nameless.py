"""Modules and includes without a name, which make the service fail, and includes of folders."""

from pathlib import Path

import pytest

from helper.stacks.test_stack import predicted, read_in, really
from pykeyinit_helper.stacks import machine
from pykeyinit_helper.stacks.folders import PAM_D

pytestmark = pytest.mark.privileged


def lay(folder: Path, where: str, module: Path, line: str) -> None:
    """A service with a good line, and behind it this one: itself ("svc"), or included ("inc")."""
    good = f"session required {module} good\n"
    include = f"session include {folder}/inc\n" if where == "inc" else ""
    for name, text in {"svc": good + include, "inc": "", "other": ""}.items():
        (folder / name).write_text(text + (line if name == where else ""))


@pytest.mark.parametrize("module", [".M", ".so", "/lib/security/", "?", "/no/such/?.so"])
@pytest.mark.parametrize("where", ["svc", "inc"])
def test_a_module_without_a_name(
    module: str, where: str, pamdrive: Path, pam_note: Path, tmp_path: Path
) -> None:
    lay(tmp_path, where, pam_note, f"session optional {module} word\n")
    assert predicted(read_in(tmp_path)) == really(pamdrive, tmp_path)


@pytest.mark.parametrize("line", ["@include", "session include", "auth substack"])
def test_an_include_of_nothing(line: str, pamdrive: Path, tmp_path: Path) -> None:
    """Debian's libpam crashes before 1.7.0-6.  Since then the line is a module that fails."""
    (tmp_path / "svc").write_text(f"session required /no/such.so\n{line}\n")
    (tmp_path / "other").write_text("")
    assert predicted(read_in(tmp_path)) == ("", [])
    crashes = machine.folders(Path("/")).includes == (PAM_D,)
    # @include has no type, so that the service fails.
    assert really(pamdrive, tmp_path)[1] == ([] if crashes or line == "@include" else [6, 6, 28])


@pytest.mark.parametrize("control", ["session include", "session substack", "@include"])
@pytest.mark.parametrize("name", [".inc", "?", "inc.d", "/", "/.", "..", ".", "absent"])
@pytest.mark.parametrize("where", ["svc", "inc"])
def test_an_include_of_a_folder_or_without_a_name(
    control: str, name: str, where: str, pamdrive: Path, pam_note: Path, tmp_path: Path
) -> None:
    """A substack's name needs what a module's does.  libpam reads a folder as an empty file."""
    (tmp_path / "inc.d").mkdir()
    (tmp_path / ".inc").write_text(f"session required {pam_note} hidden\n")
    lay(tmp_path, where, pam_note, f"{control} {tmp_path}/{name}\n")
    read = read_in(tmp_path)
    assert predicted(read) == really(pamdrive, tmp_path)
    nameless = control.endswith("substack") and name in {"/", "/.", "."}
    is_folder = name not in {".inc", "?", "absent"} and not nameless
    assert any("it is a folder" in trouble.text for trouble in read.troubles) == is_folder


def test_a_service_whose_file_is_a_folder(pamdrive: Path, pam_note: Path, tmp_path: Path) -> None:
    """libpam reads an empty file, so all types are those of "other"."""
    (tmp_path / "svc").mkdir()
    (tmp_path / "other").write_text(f"session required {pam_note} other\n")
    assert predicted(read_in(tmp_path)) == really(pamdrive, tmp_path)
    (trouble,) = read_in(tmp_path).troubles
    assert trouble.text.startswith("it is a folder")
