"""What can be wrong with the lines of PAM stacks.  Pure; one function a rule."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pykeyinit_helper.dispatch import reachable
from pykeyinit_helper.entries import Stack
from pykeyinit_helper.finding import LOGINS, Finding, found_at, is_maker, makers
from pykeyinit_helper.machine import Facts, is_ours
from pykeyinit_helper.pamconf import BAD, DIE, DONE

# Modules that put keys into the session keyring when a session is opened, or that tie what
# they open to it: a session keyring that comes after them hides it.
_STORES = frozenset(
    f"pam_{name}.so" for name in "afs_session cifscreds ecryptfs fscrypt krb5 mount".split()
)
# Services whose programs are named otherwise; of those that are set-user-ID.
_PROGRAM = {"su-l": "su", "sudo-i": "sudo", "polkit-1": "polkit-agent-helper-1"}


def pam_python_in_setuid(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """SECURITY.md: pam_python.so finds its library by the caller's PATH."""
    for stack in stacks:
        program = _PROGRAM.get(stack.service, stack.service)
        for entry in stack.entries:
            if entry.name == "pam_python.so" and program in facts.setuid:
                what = (
                    f"pam_python.so, and {program} is set-user-ID: the environment of whoever "
                    "calls it chooses the interpreter's library, which runs as root"
                )
                mend = "load pam_pykeyinit.so in its place, or take the line out"
                yield found_at("pam-python-in-set-user-id", stack, entry, what, mend)


def unreadable(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """What libpam cannot read, or not in every version alike."""
    for stack in stacks:
        for trouble in stack.troubles:
            file, line, text = trouble
            mend = "correct the line; see pam.conf(5)"
            yield Finding("unreadable", (stack.service,), file, line, text, mend)


def strict(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """pam.conf(5): controls by which a login depends on a keyring, or ends with it."""
    for stack in stacks:
        for entry in stack.entries:
            if not is_maker(entry):
                continue
            if BAD in entry.actions or DIE in entry.actions:
                what = f"{entry.control}: where no keyring can be had, nobody gets in"
                yield found_at("strict", stack, entry, what, "write `optional`")
            elif entry.actions[0] == DONE or entry.actions[0] > 0:
                what = f"{entry.control}: what comes after it is passed over"
                yield found_at("strict", stack, entry, what, "write `optional`")


def twice(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
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
                yield found_at("twice", stack, second, what, mend)
            elif is_ours(second) and second.file == stack.file:  # not one that many include
                what = f"{where} has made a keyring before: this line finds it and does nothing"
                yield found_at("twice", stack, second, what, mend)


def late(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """The keyring comes after a module that put keys into the one before."""
    for stack in stacks:
        for at, entry in makers(stack)[:1]:
            for before in stack.of("session")[:at]:
                if before.name in _STORES and not before.fault:
                    what = (
                        f"it comes after {before.name} ({before.file}:{before.line}), whose keys "
                        "stay behind in the keyring that it leaves"
                    )
                    yield found_at("late", stack, entry, what, f"put it before {before.name}")
                    break


def early(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """The keyring comes before what says whose session it is: pam_selinux(8), pam_loginuid(8)."""
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
                    yield found_at("early", stack, entry, what, f"put it after {which}")
                    break


def without(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Logins with no keyring module, while others have one."""
    having = [stack.service for stack in stacks if makers(stack)]
    lacking = [s.service for s in stacks if s.service in LOGINS and not makers(s) and s.usable]
    if having and lacking:
        names = " ".join(lacking)
        what = f"no keyring module, while others have one: {names} keep what keyring there is"
        yield Finding("without", tuple(lacking), "", 0, what, f"pykeyinit-helper enable {names}")
