"""Find the line that creates a service's session keyring, and what is wrong with it.  Pure.

pam_keyinit(8) and pam_pykeyinit(8): a line with `force` always creates a keyring, one without
it only if there is none; a module that has created one does nothing a second time.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pam_pykeyinit.options import parse
from pykeyinit_helper.stacks import rules
from pykeyinit_helper.stacks.blocks import NotUnderstood
from pykeyinit_helper.stacks.dispatch import end_of_level, skip
from pykeyinit_helper.stacks.entries import Entry, Stack
from pykeyinit_helper.stacks.finding import LOGINS, STORE_AT_SETCRED, is_maker
from pykeyinit_helper.stacks.machine import Facts, is_ours
from pykeyinit_helper.stacks.ours import as_meant, is_fresh
from pykeyinit_helper.stacks.pamconf import DIE, DONE, SUCCESS

_RULES = ("strict", "late", "early")
# Modules that answer a question.
_CONDITIONS = frozenset(
    f"pam_{name}.so"
    for name in "access exec group listfile localuser rootok succeed_if time".split()
)


class Effect(NamedTuple):
    """The session line that creates the keyring, and the lines whose keyring it replaces."""

    maker: Entry | None
    lost: tuple[Entry, ...]


def of(stack: Stack) -> Effect:
    """The effect of the session lines of a service, if each module succeeds."""
    maker: Entry | None = None
    lost: list[Entry] = []
    made = set()
    entries = stack.of("session")
    for entry in (entries[at] for at in sorted(_come_to(entries))):
        if not is_maker(entry) or entry.fault:
            continue
        who = (entry.name, entry.arguments[:1] if entry.name == "pam_python.so" else ())
        if who in made or (maker is not None and "force" not in entry.arguments):
            continue
        made.add(who)
        lost += [maker] if maker is not None else []
        maker = entry
    return Effect(maker, tuple(lost))


def _come_to(entries: Sequence[Entry]) -> set[int]:
    """The entries that libpam reaches on success; a module that answers a question may fail."""
    seen: set[int] = set()
    todo = [0]
    while todo:
        at = todo.pop()
        if at >= len(entries) or at in seen:
            continue
        seen.add(at)
        entry = entries[at]
        asks = entry.name in _CONDITIONS or max(entry.actions) > 0
        for action in (
            {0}
            if entry.is_substack
            else set(entry.actions if asks else entry.actions[SUCCESS : SUCCESS + 1])
        ):
            if action > 0:
                todo.append(skip(entries, at, action)[0])
            else:
                todo.append(end_of_level(entries, at) if action in (DONE, DIE) else at + 1)
    return seen


def words(stack: Stack) -> tuple[str, ...]:
    """The words of the line that creates the keyring, with the script of pam_python.so."""
    maker = of(stack).maker
    return maker.arguments[maker.name == "pam_python.so" :] if maker else ()


def ours(stack: Stack) -> list[Entry]:
    """The session entries that load our module."""
    return [entry for entry in stack.of("session") if is_ours(entry)]


def is_enough(service: str, asked: Sequence[str]) -> bool:
    """Whether a service that opens sessions leaves the keyring of its daemon."""
    return service not in LOGINS or is_fresh(asked)


def losses(stack: Stack) -> list[str]:
    """A line for each keyring that is created and lost."""
    maker, lost = of(stack)
    where = f"{maker.file}:{maker.line}: {maker.name}" if maker else ""
    return [
        f"{where} makes another keyring, and that of {entry.name} "
        f"({entry.file}:{entry.line}) is lost"
        for entry in lost
    ]


def first_at_setcred(stack: Stack) -> Entry | None:
    """The auth line that must come after one of ours: linux-pam#149.

    Most programs call pam_setcred(3) first, and what is stored then is lost when the session
    gets another keyring: by a module that stores keys, or by pam_keyinit, which makes one.
    """
    for entry in stack.of("auth"):
        if is_ours(entry):
            return None
        if not entry.fault and (entry.name in STORE_AT_SETCRED or is_maker(entry)):
            return entry
    return None


def wrong(stack: Stack) -> list[str]:
    """Why a service does not have exactly one keyring of ours, created in the right place."""
    maker = of(stack).maker
    if maker is None:
        reported = [f"{entry.file}:{entry.line}: libpam never reaches it" for entry in ours(stack)]
        return [*reported, "no line creates a session keyring"]
    where = f"{maker.file}:{maker.line}: {maker.name}"
    reported = losses(stack)
    reported += [] if is_ours(maker) else [f"{where} creates the session keyring"]
    if is_ours(maker):
        asked = words(stack)
        reported += [f"{where}: {text}" for text in parse(list(asked)).wrong]
        if not is_enough(stack.service, asked):
            reported.append(f"{where} has no `force`: the daemon's keyring is kept")
    if early := first_at_setcred(stack):
        reported.append(
            f"{early.file}:{early.line}: {early.name} works at setcred, which most programs call "
            "before they open the session: its keys are lost"
        )
    findings = (each for each in rules.judge([stack], Facts()) if each.rule in _RULES)
    return reported + [f"{finding.file}:{finding.line}: {finding.what}" for finding in findings]


def corrected(service: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The words, with mistyped ones corrected, and `force` if the service needs it.

    Raises NotUnderstood if the meaning is unknown.
    """
    found = [_corrected(word) for word in asked]
    if not is_enough(service, found):
        found.insert(0, "force")
    return tuple(dict.fromkeys(found))


def _corrected(word: str) -> str:
    if right := as_meant(word):
        return right
    trouble = parse([word]).wrong[0]
    raise NotUnderstood(f"{trouble}; choose the words yourself: --options 'force revoke'")
