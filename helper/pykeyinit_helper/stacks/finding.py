"""The types of rules and findings, and shared functions.  Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pykeyinit_helper.stacks.dispatch import reachable
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.machine import Facts
from pykeyinit_helper.stacks.ours import is_maker as is_maker


class Finding(NamedTuple):
    """One mistake."""

    rule: str
    services: tuple[str, ...]
    file: str  # "" if it is in no file
    line: int
    what: str
    mend: str  # a command, or "by hand: " and a text


Rule = Callable[[Sequence[Stack], Facts], Iterator[Finding]]

# Services that open a session for a user, by their names in distributions.
LOGINS = frozenset(
    "atd cockpit cron crond gdm-autologin gdm-fingerprint gdm-password gdm-smartcard greetd kde "
    "lightdm lightdm-autologin login lxdm remote runuser-l sddm sddm-autologin sshd su-l sudo-i "
    "systemd-user vsftpd xdm xrdp-sesman".split()
)


# Modules that store keys at pam_setcred(3), which most programs call before they open the session.
STORE_AT_SETCRED = frozenset(
    f"pam_{name}.so"
    for name in "afs afs_session aklog cifscreds kafs krb5 krb5_afs krb5afs openafs_session "
    "openafs-krb5".split()
)


def makers(stack: Stack, kind: str = "session") -> list[tuple[int, Entry]]:
    """The reachable entries of a type that create keyrings, with their places."""
    entries = stack.of(kind)
    if not any(is_maker(entry) for entry in entries):
        return []
    return [
        (at, entries[at])
        for at in sorted(reachable(entries))
        if is_maker(entries[at]) and not entries[at].fault
    ]


def found_at(rule: str, stack: Stack, entry: Entry, what: str, mend: str) -> Finding:
    """A finding at a line of a service."""
    return Finding(rule, (stack.service,), entry.file, entry.line, what, mend)
