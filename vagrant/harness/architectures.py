"""The processors, other than the host's, that machines of the fast path are emulated with."""

from pathlib import Path
from typing import NamedTuple

from harness.suites import SUITES, Suite


class Architecture(NamedTuple):
    """A processor as Debian names it, the machine that has it, and Debian's kernel for it."""

    name: str
    qemu: str  # as qemu names it
    machine: str
    console: str
    kernel: str  # the package
    cpu: str = ""  # if not the machine's usual one
    consoles: int = 0  # of the machine itself, that Linux calls hvc
    bus: str = "virtio-serial-pci"
    memory: int = 2048  # MiB
    suites: tuple[str, ...] = ("bookworm", "trixie", "sid")


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("arm64", "aarch64", "virt", "ttyAMA0", "linux-image-arm64", cpu="cortex-a72"),
        Architecture("armhf", "arm", "virt", "ttyAMA0", "linux-image-armmp-lpae", cpu="max"),
        Architecture(
            "ppc64el",
            "ppc64",
            "pseries",
            "hvc0",
            "linux-image-powerpc64le",
            consoles=1,
            memory=4096,  # a page has 64 KiB, and so has the smallest file of an initramfs
        ),
        Architecture(
            "riscv64", "riscv64", "virt", "ttyS0", "linux-image-riscv64", suites=("trixie", "sid")
        ),
        Architecture(
            "s390x",
            "s390x",
            "s390-ccw-virtio",
            "ttysclp0",
            "linux-image-s390x",
            cpu="max",
            bus="virtio-serial-ccw",
        ),
    )
}


def processor(of: Architecture) -> list[str]:
    """What qemu is to emulate, with the program."""
    cpu = ["-cpu", of.cpu] if of.cpu else []
    what = ["-M", of.machine, *cpu, "-accel", "tcg,thread=multi", "-m", str(of.memory)]
    return [f"qemu-system-{of.qemu}", *what]


def consoles(of: Architecture, results: Path) -> list[str]:
    """What the kernel and its first process are told, and the device that results go over.

    No machine but the PC's has as many serial lines as all scenarios want.
    """
    return [
        f"console={of.console} results=hvc{of.consoles}", "-device", of.bus,
        "-chardev", f"file,id=results,path={results}", "-device", "virtconsole,chardev=results",
    ]  # fmt: skip


def on(architecture: str, suite: str) -> Suite:
    """A suite with that architecture's own kernel; raises ValueError where there is none."""
    kernel, suites = ARCHITECTURES[architecture].kernel, ARCHITECTURES[architecture].suites
    if suite not in suites:
        raise ValueError(f"there is no {suite} for {architecture}; there are {', '.join(suites)}")
    name = f"{suite}-{architecture}"
    return SUITES[suite]._replace(name=name, kernel=kernel, architecture=architecture)
