"""Start a libvirtd if none runs, and remove all of it afterwards."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

URI = "qemu:///system"

# A libvirtd without systemd, virtlogd and cgroups of its own needs all four.
CONFIGURATION = """\
stdio_handler = "file"
cgroup_controllers = [ ]
user = "root"
group = "root"
"""


class CannotStart(Exception):
    """libvirtd does not answer; str() says where its log is."""


def virsh(*words: str) -> "subprocess.CompletedProcess[str]":
    """Ask libvirtd something."""
    return subprocess.run(
        ["virsh", "-q", "-c", URI, *words], capture_output=True, text=True, check=False, timeout=60
    )


def answers() -> bool:
    """Whether a libvirtd is there."""
    try:
        return virsh("list").returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextlib.contextmanager
def running(folder: Path) -> Iterator[None]:
    """A libvirtd until the end of the block: the machine's, or ours.

    Ours has another qemu.conf, in a mount namespace of its own: the machine's is unchanged.
    """
    if answers():
        yield
        return
    (folder / "qemu.conf").write_text(CONFIGURATION)
    script = 'mount --bind "$1" /etc/libvirt/qemu.conf && exec libvirtd'
    with (folder / "libvirtd.log").open("w") as log:
        daemon = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "-", folder / "qemu.conf"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            for _ in range(60):
                if answers():
                    break
                time.sleep(0.5)
            else:
                raise CannotStart(f"libvirtd does not answer, see {log.name}")
            yield
        finally:
            daemon.terminate()
            daemon.wait()


def forget(machine: str) -> None:
    """Remove the machine of a run that was killed.

    Raises CannotStart if it is running: that may be another run's.
    """
    state = virsh("domstate", machine).stdout.strip()
    if state not in ("", "shut off", "crashed"):
        end = f"virsh -c {URI} destroy {machine}"
        raise CannotStart(f"{machine} is there and {state}; if no other run has it: {end}")
    if state:
        virsh("undefine", machine)


def tidy(network: str, *volumes: str) -> None:
    """Remove our network, and the images whose names begin with one of `volumes`."""
    for line in virsh("vol-list", "default").stdout.splitlines():
        name = line.split()[0] if line.split() else ""
        if name.startswith(volumes):
            virsh("vol-delete", "--pool", "default", name)
    virsh("net-destroy", network)
    virsh("net-undefine", network)
