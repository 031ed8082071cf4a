"""The rules about the machine.  Pure; one function for each rule."""

import shlex
from collections.abc import Iterator, Sequence

from pykeyinit_helper.stacks import edits, ours
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.finding import Finding, found_at, makers
from pykeyinit_helper.stacks.machine import Facts
from pykeyinit_helper.stacks.ours import is_ours
from pykeyinit_helper.stacks.units import Unit

_UNITS = {
    "atd": ("atd.service",),
    "cron": ("cron.service",),
    "crond": ("crond.service", "cronie.service"),
    "sshd": ("ssh.service", "sshd.service"),
    "vsftpd": ("vsftpd.service",),
    "xrdp-sesman": ("xrdp-sesman.service",),
}
_NEAR = 0.9  # of a quota
_INSTALL = "reinstall pam_pykeyinit, from its package or with ./setup install"


def writable(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """Code of a login that users other than root can change."""
    for found in facts.unsafe:
        what = f"{found.whose}, and {found.why}"
        quoted = shlex.quote(found.path)
        mend = f"chown root:root {quoted} && chmod go-w {quoted}"
        if found.sticky:
            mend = f"{edits.BY_HAND}move what is below it to a folder that only root can write"
        yield Finding("writable", (), found.path, 0, what, mend)


def absent(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """Lines of ours whose module or script is missing."""
    lines: dict[str, list[tuple[Stack, Entry]]] = {}
    for stack in stacks:
        for entry in stack.entries:
            if is_ours(entry):
                gone = [name for name in ours.files_of(entry) if name in facts.absent]
                for name in gone[:1]:
                    lines.setdefault(name, []).append((stack, entry))
    for name, places in lines.items():
        services = tuple(dict.fromkeys(stack.service for stack, _ in places))
        what = f"{name} is not in libpam's folder: these lines create no keyring"
        mend = f"{edits.BY_HAND}{_INSTALL}, or: pykeyinit-helper disable {' '.join(services)}"
        first = places[0][1]
        yield Finding("absent", services, first.file, first.line, what, mend)


def old_python(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """The loader gets fixes of Python only when it is rebuilt."""
    for path, has, system in facts.old:
        what = f"it contains {has}, and the system has {system}: fixes have not reached logins"
        mend = f"{edits.BY_HAND}upgrade pam_pykeyinit, or rebuild and reinstall it"
        yield Finding("old-python", (), path, 0, what, mend)


def broken(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """The result of a trial session through our module."""
    for loader, outcome in facts.broken:
        services = tuple(
            stack.service
            for stack in stacks
            if any(is_ours(each) and ours.loader(each) == loader for each in stack.entries)
        )
        what = f"a trial session with {loader} alone: {outcome}"
        yield Finding("broken", services, "", 0, what, edits.BY_HAND + _INSTALL)


def refused(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """keyctl(2) is refused, for example by a container's seccomp profile."""
    if facts.refused:
        what = f"keyctl(2) is refused ({facts.refused}): no login here gets a keyring"
        mend = "in the container's seccomp profile, allow keyctl, add_key and request_key"
        yield Finding("keyctl-refused", (), "", 0, what, edits.BY_HAND + mend)


def no_pam(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """sshd_config(5): without UsePAM, sshd opens no PAM session."""
    sshd = [stack.service for stack in stacks if stack.service == "sshd" and makers(stack)]
    if facts.no_pam is not None and sshd:
        file, line = facts.no_pam
        what = "UsePAM no: sshd does not use PAM, and its logins get no session keyring"
        quoted, at = shlex.quote(file), f"{line}c" if line else "1i"
        if not line:
            what = f"no UsePAM, whose default is no: {what.partition(': ')[2]}"
        mend = f"sed -i --follow-symlinks '{at} UsePAM yes' {quoted}"
        yield Finding("no-pam", ("sshd",), file, line, what, mend)


def kept(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """systemd.exec(5): unless KeyringMode=inherit, a unit has a session keyring of its own."""
    for stack in stacks:
        known = set(_UNITS.get(stack.service, ()))
        found = [unit for unit in facts.units if known & {unit.name, *unit.aliases}]
        modes = {unit.keyring_mode for unit in found if unit.keyring_mode != "inherit"}
        for _, entry in makers(stack)[:1]:
            before = [each for _, each in makers(stack, "auth")]
            if not modes or any(map(ours.always_makes, (entry, *before))):
                continue
            names = " and ".join(_name(unit) for unit in found)
            what = (
                f"{names} has KeyringMode={'/'.join(sorted(modes))}: without `force` the "
                "daemon's session keyring is kept, and all users share it"
            )
            yield found_at("keyring-mode", stack, entry, what, _with_force(stack, entry))


def _name(unit: Unit) -> str:
    return f"{unit.name} ({', '.join(unit.aliases)})" if unit.aliases else unit.name


def _with_force(stack: Stack, entry: Entry) -> str:
    """Add `force` to the line, or, if it is included, insert a line of the service before it."""
    otherwise = f"add `force` for {stack.service}"
    forced = entry._replace(arguments=(*entry.arguments, "force"))
    if entry.file == stack.file:
        return edits.rewrite(entry, forced, otherwise)
    return edits.insert_before(stack, entry, edits.line_of(forced), otherwise)


def unit_of_helper(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """systemd.exec(5): KeyringMode=private is a keyring without the user's."""
    for unit in facts.units:
        if "pykeyinit-helper run" in unit.command and unit.keyring_mode == "private":
            what = (
                f"{unit.name} has KeyringMode=private: systemd makes a session keyring without "
                "the user keyring, and pykeyinit-helper keeps it"
            )
            folder = shlex.quote(f"/etc/systemd/system/{unit.name}.d")
            mend = (
                f"mkdir -p {folder} && printf '[Service]\\nKeyringMode=inherit\\n' "
                f">{folder}/keyring.conf && systemctl daemon-reload"
            )
            yield Finding("keyring-mode", (), unit.file, 0, what, mend)


def quotas(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """keyrings(7): above the quota a user gets no new key and no keyring: EDQUOT."""
    for user, keys, most_keys, size, most_bytes in facts.quotas:
        root = "root_" if user == "root" else ""
        for what, used, most in (("keys", keys, most_keys), ("bytes", size, most_bytes)):
            if used >= _NEAR * most:
                text = f"{user} has {used} of {most} {what}: the next login may get no keyring"
                mend = f"sysctl -w kernel.keys.{root}max{what}={2 * most}"
                yield Finding("quota", (), "/proc/key-users", 0, text, mend)
