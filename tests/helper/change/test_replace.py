"""replace.py: the file is always the old or the new one, complete, whenever the program ends."""

import os
import stat
import sys
from pathlib import Path

import pytest

from helper.change import kills
from pykeyinit_helper.change import kept, replace
from support import world

pytestmark = pytest.mark.privileged

OLD, NEW = "session optional pam_keyinit.so\n" * 200, "session optional pam_pykeyinit.so\n" * 300
PROGRAM = """
import sys
from pathlib import Path
from pykeyinit_helper.change import kept, replace
path = Path(sys.argv[1])
old = replace.now(path)
with kept.alone(Path(sys.argv[4])):
    if sys.argv[3] == "replace":
        replace.replace(path, old, Path(sys.argv[2]).read_text())
    else:
        replace.remove(path, old)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "pam.d"
    folder.mkdir()
    (folder / "sshd").write_text(OLD)
    return folder / "sshd"


@pytest.mark.parametrize("what", ["replace", "create", "remove"])
def test_killed_at_every_call(tmp_path: Path, file: Path, what: str) -> None:
    new = tmp_path / "new"
    new.write_text(NEW)
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        str(file),
        str(new),
        what.replace("create", "replace"),
        str(tmp_path / "state"),
    ]
    paths = [file, file.with_name(".sshd.pykeyinit-helper"), file.parent]
    ways = {"replace": (OLD, NEW), "create": (None, NEW), "remove": (OLD, None)}
    before, after = ways[what]

    def prepare() -> None:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_text(before)

    prepare()
    calls = kills.calls(command, paths, tmp_path / "log")
    assert replace.now(file) == after
    names = [name for name, _ in calls]
    if what != "remove":
        assert (
            names.index("fsync")
            < names.index("rename")
            < len(names) - 1 - names[::-1].index("fsync")
        )
    ends = []
    for call in calls:
        prepare()
        kills.kill_at(call, command, paths, tmp_path / "log")
        assert replace.now(file) in (before, after), call
        ends.append(replace.now(file))
    assert {before, after} == set(ends), ends  # it was killed before and after the change
    prepare()
    kills.calls(command, paths, tmp_path / "log")  # leftovers do not block the next run
    assert replace.now(file) == after
    assert os.listdir(file.parent) == ([file.name] if after else [])


def test_owner_mode_and_attributes_are_kept(file: Path) -> None:
    os.chown(file, world.uid("dave"), world.gid("carol"))
    file.chmod(0o640)
    os.setxattr(file, "user.mark", b"kept")
    replace.replace(file, OLD, NEW)
    status = file.stat()
    assert (status.st_uid, status.st_gid) == (world.uid("dave"), world.gid("carol"))
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert os.getxattr(file, "user.mark") == b"kept"
    fresh = file.with_name("fresh")
    replace.replace(fresh, None, NEW)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o644


def test_what_somebody_else_has_changed_is_left_alone(file: Path) -> None:
    file.write_text("an administrator's\n")
    for old in (OLD, None):
        with pytest.raises(replace.Changed):
            replace.replace(file, old, NEW)
    with pytest.raises(replace.Changed):
        replace.remove(file, OLD)
    assert file.read_text() == "an administrator's\n"
    assert os.listdir(file.parent) == ["sshd"]


def test_a_disk_that_is_full(file: Path) -> None:
    """/dev/full cannot be a file of pam.d, so the test limits the size of files."""
    child = os.fork()
    if child == 0:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            replace.replace(file, OLD, NEW)
        except OSError:
            os._exit(27)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 27
    assert file.read_text() == OLD
    assert os.listdir(file.parent) == ["sshd"]


def test_one_at_a_time(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with (
        kept.alone(state),
        pytest.raises(replace.Changed, match="another"),
        kept.alone(state),
    ):
        pass
    with kept.alone(tmp_path / "state"):
        pass


def test_the_lock_is_roots_alone(tmp_path: Path) -> None:
    """Also if an older version created the folder; a folder of another user is not used."""
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    with kept.alone(state):
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert stat.S_IMODE((state / "lock").stat().st_mode) == 0o600
    os.chown(state, world.uid("dave"), world.gid("dave"))
    (tmp_path / "link").symlink_to(tmp_path)
    for folder in (state, tmp_path / "link"):
        with pytest.raises(replace.Changed, match="not a folder of root"), kept.alone(folder):
            pass
