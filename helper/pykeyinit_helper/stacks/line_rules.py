"""The rules about a single line.  Pure; one function for each rule."""

from collections.abc import Iterator, Sequence

from pykeyinit_helper.stacks import edits, ours
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.finding import Finding, found_at, is_maker
from pykeyinit_helper.stacks.machine import Facts
from pykeyinit_helper.stacks.ours import is_ours
from pykeyinit_helper.stacks.pamconf import BAD, DIE, DONE

# Set-user-ID programs whose service has another name.
_PROGRAM = {"su-l": "su", "sudo-i": "sudo", "polkit-1": "polkit-agent-helper-1"}


def pam_python_in_setuid(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """SECURITY.md: pam_python.so finds its library through the caller's PATH."""
    for stack in stacks:
        program = _PROGRAM.get(stack.service, stack.service)
        for entry in stack.entries:
            if entry.name == ours.PAM_PYTHON and program in facts.setuid:
                what = (
                    f"pam_python.so, and {program} is set-user-ID: the environment of the caller "
                    "chooses the interpreter's library, which runs as root"
                )
                otherwise = "remove the line, or use another module for the work of the script"
                mend = edits.BY_HAND + otherwise
                if is_ours(entry):
                    native = entry._replace(module=ours.MODULE, arguments=ours.words(entry))
                    mend = edits.rewrite(entry, native, otherwise)
                yield found_at("pam-python-in-set-user-id", stack, entry, what, mend)


def strict(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """pam.conf(5): controls that make a login depend on a keyring, or end the stack with it."""
    for stack in stacks:
        for entry in stack.entries:
            if not is_maker(entry):
                continue
            if BAD in entry.actions or DIE in entry.actions:
                what = f"{entry.control}: if no keyring can be created, nobody can log in"
            elif entry.actions[0] == DONE or entry.actions[0] > 0:
                what = f"{entry.control}: the lines after it are skipped"
            else:
                continue
            mend = edits.rewrite(entry, entry._replace(control="optional"), "write `optional`")
            yield found_at("strict", stack, entry, what, mend)


def misspelt(stacks: Sequence[Stack], facts: Facts) -> Iterator[Finding]:
    """The name of a module that does not exist, and is similar to a keyring module."""
    for stack in stacks:
        for entry in stack.entries:
            meant = ours.meant(entry)
            gone = not facts.absent.isdisjoint(ours.files_of(entry))
            if not meant or not (gone or entry.name == ours.SCRIPT):
                continue
            script = meant == ours.SCRIPT
            named = entry.arguments[0] if script else entry.module
            what = f"{named} does not exist, and creates no keyring: was {meant} meant?"
            if entry.name == ours.SCRIPT:
                what = f"{named} is a script, not a module: {meant} loads it"
            right = entry._replace(module=meant)
            if script:
                right = entry._replace(arguments=(meant, *entry.arguments[1:]))
            mend = edits.rewrite(entry, right, f"write {meant}")
            yield found_at("misspelt", stack, entry, what, mend)


def options(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Options that our module does not accept, according to its parser."""
    for stack in stacks:
        for entry in stack.entries:
            wrong = ours.wrong(entry) if is_ours(entry) else ()
            if wrong:
                what = "; ".join(text[:200] for text in wrong[:10])
                otherwise = "correct the words; see pam_pykeyinit(8)"
                mend = edits.rewrite(entry, ours.corrected(entry), otherwise)
                yield found_at("options", stack, entry, what, mend)


def wrong_type(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """A keyring module works only in the auth and session parts."""
    for stack in stacks:
        for entry in stack.entries:
            if is_maker(entry) and not entry.fault and entry.kind in ("account", "password"):
                what = f"{entry.name} does nothing in lines of type {entry.kind}"
                yield found_at("wrong-type", stack, entry, what, _mend_of_type(stack, entry))


def _mend_of_type(stack: Stack, entry: Entry) -> str:
    otherwise = "make it a line of type session, or remove it"
    if any(is_maker(each) for each in stack.of("session")):
        return edits.delete(stack, entry, otherwise)
    return edits.rewrite(entry, entry._replace(kind="session"), otherwise)
