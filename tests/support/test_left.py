"""build-aux/left.py finds what a suite leaves on the machine, and then the suite fails."""

import importlib.util
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support import world

pytestmark = pytest.mark.privileged

AS_CAROL = ("setpriv", "--reuid=carol", "--regid=carol", "--clear-groups")
Left = Callable[..., str]


@pytest.fixture
def module() -> ModuleType:
    """left.py."""
    spec = importlib.util.spec_from_file_location("left", world.ROOT / "build-aux/left.py")
    assert spec and spec.loader  # noqa: PT018
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: ModuleType) -> Left:
    """The report about a suite whose record of the start is the present state with `changes`."""
    monkeypatch.setattr(module, "PATIENCE", 0)
    monkeypatch.setattr(module, "other_worlds", lambda: False)
    # All tests of the machine share root's keys; only test_a_key_of_roots sets some.
    monkeypatch.setattr(module, "keys_of_root", lambda: roots)
    roots: list[str] = []
    words = ["left.py", str(world.first_uid()), "5"]

    def run(worlds: Path = tmp_path, before: str = "", root: str = "", **changes: Any) -> str:
        roots[:] = root.split()
        output, errors = io.StringIO(before), io.StringIO()
        with monkeypatch.context() as patched:
            if not before:
                patched.setattr("sys.argv", words)
                patched.setattr("sys.stdout", output)
                assert module.main() == 0
            known = {**json.loads(output.getvalue()), **changes}
            if worlds == Path():
                return json.dumps(known)
            patched.setattr("sys.argv", [*words, str(worlds)])
            patched.setattr("sys.stdin", io.StringIO(json.dumps(known)))
            patched.setattr("sys.stderr", errors)
            assert module.main() == bool(errors.getvalue())
        return errors.getvalue()

    return run


def test_nothing_is_left_of_a_suite_that_did_nothing(left: Left) -> None:
    assert left() == ""


def test_a_key(left: Left) -> None:
    before = left(Path())
    subprocess.run([*AS_CAROL, "keyctl", "add", "user", "left", "x", "@u"], check=True)
    found = left(before=before)
    subprocess.run([*AS_CAROL, "keyctl", "purge", "user", "left"], check=True)
    assert found.startswith(f"left behind: key of {world.uid('carol')}: ")
    assert found.endswith(" user left: 1\n")


def test_a_key_that_was_there_before_may_be_used_by_more_processes(left: Left) -> None:
    script = "echo; read go; keyctl timeout @s 600; sleep 600 & echo; read go; kill $!"
    with subprocess.Popen(
        [*AS_CAROL, "keyctl", "session", "-", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdout.readline()
        before = left(Path())
        usage = session_keyring_of_carols()
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        holder.stdout.readline()
        assert session_keyring_of_carols() != usage
        found = left(before=before)
        holder.stdin.close()
    assert found == ""


def session_keyring_of_carols() -> str:
    """Its line of /proc/keys, with its usage count and its timeout."""
    listed = subprocess.run([*AS_CAROL, "cat", "/proc/keys"], capture_output=True, text=True)
    hers = f" {world.uid('carol')} "  # she also sees keys of other users that allow it
    return next(line for line in listed.stdout.splitlines() if hers in line and " _ses: " in line)


def test_a_key_of_roots(left: Left) -> None:
    before = json.loads(left(Path()))["keys"]
    assert left(root="one two", keys=[*before, "one"]) == "left behind: two\n"


def test_a_process_in_a_world(left: Left, tmp_path: Path) -> None:
    folder = tmp_path / "a-world"
    folder.mkdir()
    script = f"mount -t tmpfs pykeyinit {folder} && echo && exec sleep 60"
    with subprocess.Popen(
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        found = left(folder)
        process.kill()
    assert found == f"left behind: process {process.pid}: sleep 60 \n"
    assert left(folder) == ""


def test_a_file_in_what_was_a_world(left: Left, tmp_path: Path) -> None:
    """An empty folder may stay for a moment, until its mount is gone."""
    (tmp_path / "pykeyinit.x").mkdir()
    assert left() == ""
    (tmp_path / "pykeyinit.x/file").touch()
    assert left() == f"left behind: file {tmp_path}/pykeyinit.x/file\n"


def test_a_mount(left: Left) -> None:
    folder = world.folder()
    assert f"left behind: mount {folder}\n" in left(mounts=[])


def test_a_setting(left: Left) -> None:
    assert "left behind: kernel.keys.maxkeys: " in left(settings={"maxkeys": "7"})


def test_what_a_killed_world_has_not_put_back_the_next_one_does(left: Left) -> None:
    saved = Path("/run/pykeyinit.quotas")  # this world's own /run
    saved.write_text("7\n8\n")
    try:
        before = json.loads(left(Path()))["settings"]
    finally:
        saved.unlink()
    assert (before["maxkeys"], before["maxbytes"]) == ("7", "8")


def test_a_file_of_pam(
    left: Left, module: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A changed file, a new one, and a missing one."""
    folder = tmp_path / "pam.d"
    (folder / "deep").mkdir(parents=True)
    for name in ("changed", "gone", "kept"):
        (folder / name).write_text("before")
    monkeypatch.setattr(module, "CONFIGURATION", (folder, tmp_path / "none"))
    before = left(Path())
    (folder / "changed").write_text("after")
    (folder / "gone").unlink()
    (folder / "deep/new").write_text("new")
    assert left(tmp_path / "worlds", before=before).splitlines() == [
        f"left behind: {folder / name}: it is not as it was"
        for name in ("changed", "deep/new", "gone")
    ]
