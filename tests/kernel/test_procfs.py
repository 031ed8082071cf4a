"""Reading a file of /proc: its whole content, or nothing, and no descriptor stays open."""

import fcntl
import os
import posix
from pathlib import Path

import pytest

from pam_pykeyinit.kernel import procfs


def test_a_long_file_is_read_to_its_end(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(30_000))
    assert len(text) > 4 * 65536
    (tmp_path / "long").write_text(text)
    assert procfs.text(str(tmp_path / "long")) == text


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_read_is_empty(name: str, tmp_path: Path) -> None:
    assert procfs.text(str(tmp_path / name)) == ""


def test_no_program_gets_the_descriptor_and_none_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("text")
    flags: list[int] = []

    def read(descriptor: int, size: int) -> bytes:
        flags.append(fcntl.fcntl(descriptor, fcntl.F_GETFD))
        return os.read(descriptor, size)

    monkeypatch.setattr(posix, "read", read)
    before = sorted(os.listdir("/proc/self/fd"))
    assert procfs.text(str(tmp_path / "file")) == "text"
    assert set(flags) == {fcntl.FD_CLOEXEC}
    assert sorted(os.listdir("/proc/self/fd")) == before
