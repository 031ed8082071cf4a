"""The rules about modules that set the identity of a session.  Pure; a function for each rule."""

from collections.abc import Iterator, Sequence

from pykeyinit_helper.stacks import edits
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.finding import Finding, found_at, makers
from pykeyinit_helper.stacks.machine import Facts


def early(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """The keyring is created before pam_selinux(8) or pam_loginuid(8), which set the identity."""
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
                    mend = edits.move(stack, entry, "after", after, f"put it after {which}")
                    yield found_at("early", stack, entry, what, mend)
                    break


def label(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """The keyring is created before pam_selinux(8) sets the context of keys to the user's.

    By hand: with some policies the program may not write a keyring that has the user's label.
    """
    for stack in stacks if facts.selinux else ():
        entries = stack.of("session")
        opens = [at for at, each in enumerate(entries) if _opens_selinux(each)]
        for at, entry in makers(stack)[:1]:
            if not opens or opens[0] < at:
                continue
            after = entries[opens[0]]
            what = (
                f"it comes before pam_selinux.so open ({after.file}:{after.line}): the keyring "
                "has the SELinux label of the program, and the policy can deny it to the user"
            )
            mend = (
                f"{edits.BY_HAND}put it after pam_selinux.so open, if the policy lets the program "
                "write keys with the user's label; see SELinux in pykeyinit(7)"
            )
            yield found_at("label", stack, entry, what, mend)


def _opens_selinux(entry: Entry) -> bool:
    """Whether it sets the user's context when a session is opened."""
    does_not = {"close", "restore"}.intersection(entry.arguments)
    return entry.name == "pam_selinux.so" and not (does_not or entry.fault)
