"""What can be wrong with the keyrings of a machine's logins.  Pure: stacks and facts go in.

RULES is in order of harm: what gives a way to root, what locks people out, what leaves them
without their keys, what is merely missing.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pykeyinit_helper.dispatch import reachable
from pykeyinit_helper.machine import Facts, is_ours
from pykeyinit_helper.pamconf import BAD, DIE, DONE
from pykeyinit_helper.stack import Entry, Stack


class Finding(NamedTuple):
    """One thing that is wrong."""

    rule: str
    services: tuple[str, ...]
    file: str  # "" where it is in none
    line: int
    what: str
    mend: str


Rule = Callable[[Sequence[Stack], Facts], Iterator[Finding]]

# Modules that put keys into the session keyring when a session is opened, or that tie what
# they open to it: a session keyring that comes after them hides it.
_STORES = frozenset(
    f"pam_{name}.so" for name in "afs_session cifscreds ecryptfs fscrypt krb5 mount".split()
)
# Services whose programs are named otherwise; of those that are set-user-ID.
_PROGRAM = {"su-l": "su", "sudo-i": "sudo", "polkit-1": "polkit-agent-helper-1"}
# Services that begin somebody's session, as distributions name them.
LOGINS = frozenset(
    "atd cockpit cron crond gdm-autologin gdm-fingerprint gdm-password gdm-smartcard greetd kde "
    "lightdm lightdm-autologin login lxdm remote runuser-l sddm sddm-autologin sshd su-l sudo-i "
    "systemd-user vsftpd xdm xrdp-sesman".split()
)
_UNITS = {
    "atd": ("atd.service",),
    "cron": ("cron.service",),
    "crond": ("crond.service", "cronie.service"),
    "sshd": ("ssh.service", "sshd.service"),
    "vsftpd": ("vsftpd.service",),
    "xrdp-sesman": ("xrdp-sesman.service",),
}
_NEAR = 0.9  # of a quota


def judge(stacks: Sequence[Stack], facts: Facts) -> list[Finding]:
    """All findings, the worst first; one that several services share is told once."""
    shared: dict[Finding, list[str]] = {}
    for rule in RULES:
        for finding in rule(stacks, facts):
            services = shared.setdefault(finding._replace(services=()), [])
            services += [name for name in finding.services if name not in services]
    return [finding._replace(services=tuple(names)) for finding, names in shared.items()]


def makers(stack: Stack) -> list[tuple[int, Entry]]:
    """The session entries that make keyrings and that libpam may come to, with their places."""
    entries = stack.of("session")
    return [
        (at, entries[at])
        for at in sorted(reachable(entries))
        if is_maker(entries[at]) and not entries[at].fault
    ]


def is_maker(entry: Entry) -> bool:
    """Whether it is pam_keyinit or ours."""
    return is_ours(entry) or entry.name == "pam_keyinit.so"


def _at(rule: str, stack: Stack, entry: Entry, what: str, mend: str) -> Finding:
    return Finding(rule, (stack.service,), entry.file, entry.line, what, mend)


def _pam_python_in_setuid(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    for stack in stacks:
        program = _PROGRAM.get(stack.service, stack.service)
        for entry in stack.entries:
            if entry.name == "pam_python.so" and program in facts.setuid:
                what = (
                    f"pam_python.so, and {program} is set-user-ID: the environment of whoever "
                    "calls it chooses the interpreter's library, which runs as root"
                )
                mend = "load pam_pykeyinit.so in its place, or take the line out"
                yield _at("pam-python-in-set-user-id", stack, entry, what, mend)


def _writable(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    for path, whose in facts.unsafe:
        what = f"{path} is run as root at every login, and {whose}; pam_pykeyinit.so refuses it"
        mend = f"chown root:root {path} && chmod go-w {path}"
        yield Finding("writable", (), path, 0, what, mend)


def _unreadable(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    for stack in stacks:
        for trouble in stack.troubles:
            file, line, text = trouble
            mend = "correct the line; see pam.conf(5)"
            yield Finding("unreadable", (stack.service,), file, line, text, mend)


def _strict(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    for stack in stacks:
        for entry in stack.entries:
            if not is_maker(entry):
                continue
            if BAD in entry.actions or DIE in entry.actions:
                what = f"{entry.control}: where no keyring can be had, nobody gets in"
                yield _at("strict", stack, entry, what, "write `optional`")
            elif entry.actions[0] == DONE or entry.actions[0] > 0:
                what = f"{entry.control}: what comes after it is passed over"
                yield _at("strict", stack, entry, what, "write `optional`")


def _absent(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    for stack in stacks:
        for entry in stack.entries:
            if is_ours(entry) and entry.module in facts.absent:
                what = f"{entry.module} is not where libpam looks: there is no keyring"
                yield _at("absent", stack, entry, what, "install it, or take the line out")


def _python_gone(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    for stack in stacks:
        for entry in stack.entries:
            if facts.no_python and entry.name == "pam_pykeyinit.so":
                what = f"pam_pykeyinit.so was built for {facts.no_python}, which is gone"
                yield _at("python-gone", stack, entry, what, "install it anew: ./setup install")


def _refused(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    if facts.refused:
        what = f"keyctl(2) is refused ({facts.refused}): no login here gets a keyring"
        mend = "in the container's seccomp profile, allow keyctl, add_key and request_key"
        yield Finding("keyctl-refused", (), "", 0, what, mend)


def _twice(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Two modules at work, one of them ours; pam_keyinit after ours and without force is idle."""
    for stack in stacks:
        found = makers(stack)
        entries = stack.of("session")
        for (at, first), (later, second) in pairwise(found):
            if not (is_ours(first) or is_ours(second)) or later not in reachable(entries, at):
                continue
            where = f"{first.name} ({first.file}:{first.line})"
            mend = f"take out one of the two, or: pykeyinit-helper enable {stack.service}"
            if "force" in second.arguments:
                what = f"{second.name} makes another keyring, and that of {where} is lost"
                yield _at("twice", stack, second, what, mend)
            elif is_ours(second) and second.file == stack.file:  # not one that many include
                what = f"{where} has made a keyring before: this line finds it and does nothing"
                yield _at("twice", stack, second, what, mend)


def _late(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    for stack in stacks:
        for at, entry in makers(stack)[:1]:
            for before in stack.of("session")[:at]:
                if before.name in _STORES and not before.fault:
                    what = (
                        f"it comes after {before.name} ({before.file}:{before.line}), whose keys "
                        "stay behind in the keyring that it leaves"
                    )
                    yield _at("late", stack, entry, what, f"put it before {before.name}")
                    break


def _early(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    for stack in stacks:
        for at, entry in makers(stack)[:1]:
            for after in stack.of("session")[at + 1 :]:
                closes = after.name == "pam_selinux.so" and "close" in after.arguments
                if closes or after.name == "pam_loginuid.so":
                    which = "pam_selinux.so close" if closes else after.name
                    what = (
                        f"it comes before {which} ({after.file}:{after.line}): the keyring is "
                        f"made in the {'context' if closes else 'audit session'} of before"
                    )
                    yield _at("early", stack, entry, what, f"put it after {which}")
                    break


def _kept(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
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
                    yield _at(
                        "keyring-mode", stack, entry, what, f"add `force` for {stack.service}"
                    )


def _unit_of_helper(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if "pykeyinit-helper run" in unit.command and unit.keyring_mode == "private":
            what = (
                f"{unit.name} has KeyringMode=private: systemd makes a session keyring without "
                "the user keyring, and pykeyinit-helper keeps it"
            )
            mend = f"systemctl edit {unit.name}: [Service] KeyringMode=inherit"
            yield Finding("keyring-mode", (), unit.file, 0, what, mend)


def _quotas(_: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    for user, keys, most_keys, size, most_bytes in facts.quotas:
        root = "root_" if user == "root" else ""
        for what, used, most in (("keys", keys, most_keys), ("bytes", size, most_bytes)):
            if used >= _NEAR * most:
                text = f"{user} has {used} of {most} {what}: the next login may get no keyring"
                mend = f"sysctl kernel.keys.{root}max{what}={2 * most}, or keyctl unlink some"
                yield Finding("quota", (), "/proc/key-users", 0, text, mend)


def _without(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    having = [stack.service for stack in stacks if makers(stack)]
    lacking = [s.service for s in stacks if s.service in LOGINS and not makers(s) and s.usable]
    if having and lacking:
        names = " ".join(lacking)
        what = f"no keyring module, while others have one: {names} keep what keyring there is"
        yield Finding("without", tuple(lacking), "", 0, what, f"pykeyinit-helper enable {names}")


RULES: tuple[Rule, ...] = (
    _pam_python_in_setuid,
    _writable,
    _unreadable,
    _strict,
    _absent,
    _python_gone,
    _refused,
    _twice,
    _late,
    _early,
    _kept,
    _unit_of_helper,
    _quotas,
    _without,
)
