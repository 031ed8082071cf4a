"""The rules about the order of a stack.  Pure; one function for each rule."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from pykeyinit_helper.stacks import edits, ours
from pykeyinit_helper.stacks.dispatch import reachable, reached_in_a_good_login
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.finding import (
    LOGINS,
    STORE_AT_SETCRED,
    Finding,
    found_at,
    is_maker,
    makers,
)
from pykeyinit_helper.stacks.machine import Facts
from pykeyinit_helper.stacks.ours import is_ours

# Modules that add keys to the session keyring when a session is opened, or that bind what
# they open to it: a session keyring that comes after them hides it.
_STORES = frozenset(
    f"pam_{name}.so" for name in "afs_session cifscreds ecryptfs fscrypt krb5 mount".split()
)
_MOST = 20  # the number of makers to compare, as each comparison walks the whole stack


def unreadable(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Lines that libpam cannot read, or that its versions read differently."""
    for stack in stacks:
        lines: dict[tuple[str, int], list[str]] = {}
        for file, line, text in stack.troubles:
            lines.setdefault((file, line), []).append(text)
        for (file, line), texts in lines.items():
            text = "; ".join(texts)
            mend = f"{edits.BY_HAND}correct it, see pam.conf(5)"
            yield Finding("unreadable", (stack.service,), file, line, text, mend)


def unreached(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """If every module succeeds, libpam ends the stack, or jumps, before it reaches the line.

    An unreached line does no harm if the stack has another one that is reached.
    """
    for stack in stacks:
        for kind in ("auth", "session"):
            entries = stack.of(kind)
            lines = [at for at, each in enumerate(entries) if is_maker(each) and not each.fault]
            if not lines:
                continue
            seen = reached_in_a_good_login(entries)
            if not seen.isdisjoint(lines):
                continue
            first = lines[0]
            entry, before = entries[first], entries[max(at for at in seen if at < first)]
            what = (
                f"libpam does not reach this line in a login that succeeds: {before.name} "
                f"({before.file}:{before.line}, {before.control}) ends the stack before it, or "
                "jumps over it"
            )
            otherwise = f"move it before {before.name} ({before.file}:{before.line})"
            if entry.file == before.file or entry.file == stack.file:
                mend = edits.move(stack, entry, "before", before, otherwise)
            else:
                text = edits.line_of(entry)
                mend = edits.insert_before(stack, before, text, otherwise)
            yield found_at("unreached", stack, entry, what, mend)


def twice(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Two active modules, one of them ours; pam_keyinit after ours without force does nothing."""
    for stack in stacks:
        yield from _twice_by_type(stack)
        entries = stack.of("session")
        for (at, first), (later, second) in pairwise(makers(stack)[:_MOST]):
            if not (is_ours(first) or is_ours(second)):
                continue
            makes = ours.always_makes(second)
            idle = is_ours(second) and second.file == stack.file  # not one that many include
            if not (makes or idle) or later not in reachable(entries, at):
                continue
            shared = _of_a_file_that_others_include(stack, first, second)
            if shared is not None:
                what = (
                    "services that include this file also create a session keyring with a line of "
                    "their own, and the keyring of the first line is lost"
                )
                otherwise = f"remove this line, or those of the services: {stack.service}, ..."
                mend = edits.delete(stack, shared, otherwise)
                yield found_at("twice", stack, shared, what, mend)
                break
            where = f"{first.name} ({first.file}:{first.line})"
            what = (
                f"{second.name} creates another keyring, and that of {where} is lost"
                if makes
                else f"{where} has created a keyring: this line finds it and does nothing"
            )
            yield found_at("twice", stack, second, what, _one_of(stack, first, second))
            break


def _twice_by_type(stack: Stack) -> Iterator[Finding]:
    """One module at pam_setcred(3), another at pam_open_session(3)."""
    for (_, first), (_, second) in product(makers(stack, "auth")[:1], makers(stack)[:1]):
        same = ours.loader(first) == ours.loader(second)
        if same or not (is_ours(first) or is_ours(second)) or not ours.always_makes(second):
            continue
        what = (
            f"{second.name} creates another keyring after {first.name} in the auth part "
            f"({first.file}:{first.line}), and that one is lost"
        )
        our, other = (second, first) if is_ours(second) else (first, second)
        otherwise = f"let both be lines of {our.name}"
        mend = edits.rewrite(other, ours.with_the_module_of(our, other), otherwise)
        yield found_at("twice", stack, second, what, mend)


def _of_a_file_that_others_include(stack: Stack, first: Entry, second: Entry) -> Entry | None:
    """The one of the two that is ours and in an included file, if the other is not."""
    for one, other in ((first, second), (second, first)):
        if is_ours(one) and one.file != stack.file and other.file != one.file:
            return one
    return None


def _one_of(stack: Stack, first: Entry, second: Entry) -> str:
    """Keep only our line, in the place and with the options of pam_keyinit's; or the first one."""
    otherwise = "remove one of the two lines"
    theirs = next((each for each in (first, second) if not is_ours(each)), None)
    our = second if theirs is first else first
    if theirs is None or first.file != second.file:
        extra = second if theirs is None else our
        return edits.delete(stack, extra, otherwise)
    words = dict.fromkeys((*our.arguments, *theirs.arguments))
    if any(word.startswith("revoke=") for word in our.arguments):
        words.pop("revoke", None)
    kept = our._replace(arguments=tuple(words), control=theirs.control)
    return edits.put_in_place_of(stack, theirs, our, edits.line_of(kept), otherwise)


def setcred(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Keys that are stored at pam_setcred(3), before the session part leaves that keyring."""
    for stack in stacks:
        session = [entry for _, entry in makers(stack) if ours.always_makes(entry)]
        if not session:
            continue
        auth = stack.of("auth")
        same = ours.loader(session[0])
        made = [at for at, each in makers(stack, "auth") if ours.loader(each) == same]
        stores = (
            (at, each)
            for at, each in enumerate(auth)
            if each.name in STORE_AT_SETCRED and not each.fault
        )
        for at, entry in stores:
            if made and made[0] < at:
                continue
            what = (
                f"{entry.name} stores its keys when the program calls pam_setcred(3), most often "
                f"before the session is opened: {session[0].name} then leaves that keyring "
                f"({session[0].file}:{session[0].line})"
            )
            text = edits.line_of(session[0]._replace(kind="auth", control="optional"))
            otherwise = f"put a line before all of type auth: {text}"
            put = edits.insert_before(stack, auth[0], text, otherwise)
            if entry.via == 0:
                otherwise = (
                    f"{stack.service} has the auth lines of `other`: give it its own, the same, "
                    f"and before them: {text}"
                )
                put = edits.with_the_auth_of_other(stack, text, otherwise)
            yield found_at("setcred", stack, entry, what, put)
            break


def late(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """The keyring is created after a module that added keys to the previous one."""
    for stack in stacks:
        if makers(stack, "auth"):
            continue  # it was created at pam_setcred(3)
        for at, entry in makers(stack)[:1]:
            for before in stack.of("session")[:at]:
                if before.name in _STORES and not before.fault:
                    what = (
                        f"it comes after {before.name} ({before.file}:{before.line}), whose keys "
                        "stay in the keyring that it leaves"
                    )
                    otherwise = f"put it before {before.name}"
                    mend = edits.move(stack, entry, "before", before, otherwise)
                    yield found_at("late", stack, entry, what, mend)
                    break


def without(stacks: Sequence[Stack], _: Facts) -> Iterator[Finding]:
    """Services without a keyring module, while others have one."""
    having = any(_has_line(stack) for stack in stacks)
    lacking = [
        stack.service
        for stack in stacks
        if stack.service in LOGINS and not _has_line(stack) and not stack.troubles
    ]
    if having and lacking:
        names = " ".join(lacking)
        what = (
            f"no keyring module, while others have one: {names} keep the keyring that is in place"
        )
        yield Finding("without", tuple(lacking), "", 0, what, f"pykeyinit-helper enable {names}")


def _has_line(stack: Stack) -> bool:
    """Whether it has a line, even one that does not work: other rules report that."""
    return any(is_maker(entry) or ours.meant(entry) for entry in stack.entries)
