"""What can be wrong with the machine below the stacks.  Pure; one function a rule."""

from collections.abc import Iterator, Sequence

from pykeyinit_helper.entries import Stack
from pykeyinit_helper.finding import Finding, found_at, makers
from pykeyinit_helper.machine import Facts, is_ours

_UNITS = {
    "atd": ("atd.service",),
    "cron": ("cron.service",),
    "crond": ("crond.service", "cronie.service"),
    "sshd": ("ssh.service", "sshd.service"),
    "vsftpd": ("vsftpd.service",),
    "xrdp-sesman": ("xrdp-sesman.service",),
}
_NEAR = 0.9  # of a quota


def writable(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """Code that runs as root at every login, and that others can change."""
    for path, whose in facts.unsafe:
        what = f"{path} is run as root at every login, and {whose}; pam_pykeyinit.so refuses it"
        mend = f"chown root:root {path} && chmod go-w {path}"
        yield Finding("writable", (), path, 0, what, mend)


def absent(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """A line of ours whose module is not where libpam looks."""
    for stack in stacks:
        for entry in stack.entries:
            if is_ours(entry) and entry.module in facts.absent:
                what = f"{entry.module} is not where libpam looks: there is no keyring"
                yield found_at("absent", stack, entry, what, "install it, or take the line out")


def python_gone(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """The loader opens the libpython that it was built for, and no other."""
    for stack in stacks:
        for entry in stack.entries:
            if facts.no_python and entry.name == "pam_pykeyinit.so":
                what = f"pam_pykeyinit.so was built for {facts.no_python}, which is gone"
                yield found_at(
                    "python-gone", stack, entry, what, "install it anew: ./setup install"
                )


def refused(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """keyctl(2) itself, as by a container's seccomp profile."""
    if facts.refused:
        what = f"keyctl(2) is refused ({facts.refused}): no login here gets a keyring"
        mend = "in the container's seccomp profile, allow keyctl, add_key and request_key"
        yield Finding("keyctl-refused", (), "", 0, what, mend)


def kept(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """systemd.exec(5): unless KeyringMode=inherit, a unit has a session keyring of its own."""
    for stack in stacks:
        for _, entry in makers(stack)[:1]:
            for unit in facts.units:
                known = _UNITS.get(stack.service, ())
                if unit.name not in known or "force" in entry.arguments:
                    continue
                if unit.keyring_mode != "inherit":
                    what = (
                        f"{unit.name} has KeyringMode={unit.keyring_mode}: without `force` the "
                        "daemon's session keyring is kept, and all users share it"
                    )
                    yield found_at(
                        "keyring-mode", stack, entry, what, f"add `force` for {stack.service}"
                    )


def unit_of_helper(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """systemd.exec(5): KeyringMode=private is a keyring without the user's."""
    for unit in facts.units:
        if "pykeyinit-helper run" in unit.command and unit.keyring_mode == "private":
            what = (
                f"{unit.name} has KeyringMode=private: systemd makes a session keyring without "
                "the user keyring, and pykeyinit-helper keeps it"
            )
            mend = f"systemctl edit {unit.name}: [Service] KeyringMode=inherit"
            yield Finding("keyring-mode", (), unit.file, 0, what, mend)


def quotas(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """keyrings(7): past its quota a user gets no new key, and no keyring: EDQUOT."""
    for user, keys, most_keys, size, most_bytes in facts.quotas:
        root = "root_" if user == "root" else ""
        for what, used, most in (("keys", keys, most_keys), ("bytes", size, most_bytes)):
            if used >= _NEAR * most:
                text = f"{user} has {used} of {most} {what}: the next login may get no keyring"
                mend = f"sysctl kernel.keys.{root}max{what}={2 * most}, or keyctl unlink some"
                yield Finding("quota", (), "/proc/key-users", 0, text, mend)
