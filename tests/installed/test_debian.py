"""build-aux/debian.sh: a command in another system sees that system, and nothing of this one."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import world

pytestmark = pytest.mark.privileged

DEBIAN = world.ROOT / "build-aux/debian.sh"
Inside = Callable[[str, str], str]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A system with this one's programs."""
    if subprocess.run(["mountpoint", "-q", "/"], check=False).returncode:
        world.skip("/ is no mount point: in a plain chroot mounts cannot be made private")
    folder = tmp_path / "root"
    for name in ("usr", "dev", "etc", "proc", "root", "run", "sys", "tmp"):
        (folder / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        if Path("/", name).exists():
            (folder / name).symlink_to(f"usr/{name}")
    subprocess.run(["mount", "--bind", "/usr", folder / "usr"], check=True)
    yield folder
    subprocess.run(["umount", folder / "usr"], check=True)


@pytest.fixture
def inside(root: Path) -> Inside:
    """Runs a shell script in that system."""

    def run(how: str, script: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "OF_THE_CALLER": "x", "CI": "true"}
        done = subprocess.run(
            [DEBIAN, how, root, "sh", "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


@pytest.mark.parametrize("how", ["enter", "chroot"])
def test_nothing_of_this_machine_is_seen(how: str, inside: Inside, root: Path) -> None:
    (root / "root/here").touch()
    words = inside(how, "ls; echo $$; ls /etc; env").split()
    assert words[0] == "here"
    assert words[1] == "1", "processes of the machine"
    assert not {*os.listdir("/etc")} & {*words} - {"resolv.conf"}
    assert "OF_THE_CALLER=x" not in words
    assert "CI=true" in words
    assert str(world.ROOT) not in inside(how, "cat /proc/self/mountinfo")


def test_entered_it_is_like_a_machine(inside: Inside) -> None:
    assert inside("enter", "mountpoint -q / && unshare --user echo made") == "made\n"


def test_a_chroot_is_one(inside: Inside) -> None:
    refused = "mountpoint -q / || unshare --user true 2>/dev/null || echo refused"
    assert inside("chroot", refused) == "refused\n"


def test_what_it_leaves_running_ends_with_it(inside: Inside, root: Path) -> None:
    inside("enter", "sleep 61.5 & echo")
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    assert [line.split()[4] for line in mounts if f"{root}/" in line] == [f"{root}/usr"]
    found = subprocess.run(["pgrep", "-f", "sleep 61[.]5"], capture_output=True, check=False)
    assert found.stdout == b""


def test_without_a_command_it_explains_itself() -> None:
    done = subprocess.run([DEBIAN], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "enter FOLDER COMMAND..." in done.stderr
