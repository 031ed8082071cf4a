"""The releases on which logins are tried."""

from typing import NamedTuple

NATIVE = "amd64"  # what machines are made of unless another processor is asked for


class Suite(NamedTuple):
    """A Debian release with one of its kernels."""

    name: str  # its name on the command line
    release: str
    kernel: str  # the package
    loaders: tuple[str, ...] = ("pam_keyinit", "native", "pam_python")
    architecture: str = NATIVE
    packages: tuple[str, ...] = ()  # that its machine has besides the usual ones
    boot: str = ""  # words for the kernel, besides the usual ones


SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "bullseye",
            "bullseye",
            "linux-image-cloud-amd64",
            loaders=("pam_keyinit", "native"),
        ),
        Suite("bookworm", "bookworm", "linux-image-cloud-amd64"),
        Suite("bookworm-6.12", "bookworm", "linux-image-6.12-cloud-amd64"),
        Suite("trixie", "trixie", "linux-image-cloud-amd64"),
        Suite("sid", "sid", "linux-image-cloud-amd64"),
    )
}

# The packages of a machine on the fast path, besides those of every Debian.
PACKAGES = (
    "openssh-server", "openssh-client", "passwd", "login", "util-linux", "mount", "sudo", "cron",
    "at", "openbsd-inetd", "keyutils", "libpam-modules", "python3", "iproute2",
    "procps",
)  # fmt: skip
# And one of another processor: what loads the modules of its consoles, and runs the tests.
FOREIGN = ("kmod", "python3-pytest", "python3-hypothesis", "python3-keyutils")
# And one with SELinux: the policy, and what loads it and labels files.
SELINUX = ("selinux-policy-default", "policycoreutils", "selinux-utils")
# What a release has no more; tests that want it are left out there.
LACKING = {"sid": {"python3-keyutils"}}


def with_selinux(name: str) -> Suite:
    """A suite whose kernel has SELinux on, permissive: what is denied is logged and done."""
    boot = "security=selinux selinux=1 enforcing=0"
    return SUITES[name]._replace(name=f"{name}-selinux", packages=SELINUX, boot=boot)
