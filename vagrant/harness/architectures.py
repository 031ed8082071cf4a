"""The processors, other than the host's, that machines of the fast path are emulated with."""

from pathlib import Path
from typing import NamedTuple

from harness.suites import SUITES, Suite


class Architecture(NamedTuple):
    """A processor: by Debian's name, what qemu makes of it, and its kernel."""

    name: str
    machine: tuple[str, ...]  # qemu, the machine, and its processor if not the usual one
    console: str
    kernel: str
    consoles: int = 0  # of the machine itself that are called hvc
    serial: str = "virtio-serial-pci"
    suites: tuple[str, ...] = ("bookworm", "trixie", "sid")


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "arm64", ("qemu-system-aarch64", "-M", "virt", "-cpu", "max"), "ttyAMA0", "linux-image-arm64"
        ),
        Architecture(
            "armhf", ("qemu-system-arm", "-M", "virt", "-cpu", "max"), "ttyAMA0", "linux-image-armmp-lpae"
        ),
        Architecture(
            "ppc64el",
            ("qemu-system-ppc64", "-M", "pseries"),
            "hvc0",
            "linux-image-powerpc64le",
            consoles=1,
        ),
        Architecture(
            "riscv64",
            ("qemu-system-riscv64", "-M", "virt"),
            "ttyS0",
            "linux-image-riscv64",
            suites=("trixie", "sid"),
        ),
        Architecture(
            "s390x",
            ("qemu-system-s390x", "-M", "s390-ccw-virtio", "-cpu", "max"),
            "ttysclp0",
            "linux-image-s390x",
            serial="virtio-serial-ccw",
        ),
    )
}


def processor(of: Architecture) -> tuple[str, ...]:
    """What qemu is to emulate."""
    return (*of.machine, "-accel", "tcg,thread=multi")


def tell(of: Architecture, results: Path) -> tuple[str, ...]:
    """The consoles, for the kernel and its first process; and the device that results go over.

    No machine but the PC's has the serial lines that all of them would need.
    """
    return (
        f"console={of.console} results=hvc{of.consoles}", "-device", of.serial,
        "-chardev", f"file,id=results,path={results}", "-device", "virtconsole,chardev=results",
    )  # fmt: skip


def on(architecture: str, suite: str) -> Suite:
    """A suite with that architecture's own kernel; raises ValueError where there is none."""
    kernel, suites = ARCHITECTURES[architecture].kernel, ARCHITECTURES[architecture].suites
    if suite not in suites:
        raise ValueError(f"there is no {suite} for {architecture}; there are {', '.join(suites)}")
    name = f"{suite}-{architecture}"
    return SUITES[suite]._replace(name=name, kernel=kernel, architecture=architecture)
