"""Which PAM lines are ours, or look like it, and their options.  Pure.

The module's own parser reads the options.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, get_close_matches
from functools import cache

from pam_pykeyinit import options
from pykeyinit_helper.stacks import inside
from pykeyinit_helper.stacks.entries import Entry

MODULE, SCRIPT, THEIRS, PAM_PYTHON = (
    "pam_pykeyinit.so",
    "pam_pykeyinit.py",
    "pam_keyinit.so",
    "pam_python.so",
)
_NEAR = 0.85  # the similarity of two names, at most 1
_WORDS = (
    "debug", "force", "revoke", "name", "link", "minimum_uid", "ignore_root", "on_error",
    "foreign", "tag", "refresh", "quota_warn",
)  # fmt: skip


def is_ours(entry: Entry) -> bool:
    """Whether an entry loads our module, with either loader."""
    if entry.name == PAM_PYTHON:
        return bool(entry.arguments) and _file(entry.arguments[0]) == SCRIPT
    return entry.name == MODULE


def interpreter(module: str) -> str:
    """The file that our loader opens in its own folder."""
    return f"{module.removesuffix(MODULE)}{inside.FILE}"


def is_maker(entry: Entry) -> bool:
    """Whether it is pam_keyinit or ours."""
    return is_ours(entry) or entry.name == THEIRS


def is_native(entry: Entry) -> bool:
    """Whether our own loader loads it."""
    return entry.name == MODULE


def loader(entry: Entry) -> str:
    """The words of our line that name the code: the module, and pam_python's script."""
    return " ".join((entry.module, *entry.arguments[: entry.name == PAM_PYTHON]))


def with_the_module_of(other: Entry, entry: Entry) -> Entry:
    """The entry with another's module, and script of pam_python's, and its own words."""
    script = other.arguments[: other.name == PAM_PYTHON]
    return entry._replace(module=other.module, arguments=(*script, *words(entry)))


def words(entry: Entry) -> tuple[str, ...]:
    """The words of a line of ours that are options."""
    return entry.arguments[1:] if entry.name == PAM_PYTHON else entry.arguments


def wrong(entry: Entry) -> tuple[str, ...]:
    """The log lines of the module for its options."""
    return options.parse(list(words(entry))).wrong


def always_makes(entry: Entry) -> bool:
    """Whether a keyring module leaves no keyring of the daemon's in place."""
    if not is_ours(entry):
        return "force" in entry.arguments
    return is_fresh(words(entry))


def is_fresh(asked: Sequence[str]) -> bool:
    """Whether these options create a keyring although another user's is in place."""
    parsed = options.parse(list(asked))
    return parsed.force or (parsed.policy is not None and parsed.policy.replace)


def as_meant(word: str) -> str:
    """Correct a mistyped word; "" if the meaning is unknown."""
    if not options.parse([word]).wrong:
        return word
    name, sign, value = word.partition("=")
    for close in get_close_matches(name.lower(), _WORDS, 1, 0.75):
        candidate = f"{close}{sign}{value}"
        if not options.parse([candidate]).wrong:
            return candidate
    return ""


def corrected(entry: Entry) -> Entry:
    """The entry with its invalid words corrected, or removed if their meaning is unknown."""
    good: list[str] = []
    for word in words(entry):
        if right := as_meant(word):
            good.append(right)
        elif word.partition("=")[0] == "revoke":  # how the module reads it
            good.append("revoke")
    script = entry.arguments[: entry.name == PAM_PYTHON]
    return entry._replace(arguments=(*script, *dict.fromkeys(good)))


def meant(entry: Entry) -> str:
    """The module or script with a similar name; "" if there is none, or the name is correct."""
    if is_maker(entry):
        return ""
    if entry.name == PAM_PYTHON:
        near = nearest(_file(entry.arguments[0])) if entry.arguments else ""
        return SCRIPT if near == MODULE else ""
    return nearest(entry.name)


def files_of(entry: Entry) -> Iterator[str]:
    """The files that our line, or one that looks like it, names."""
    if is_ours(entry) or meant(entry):
        yield entry.module
        if entry.name == MODULE:
            yield interpreter(entry.module)
        yield from entry.arguments[: entry.name == PAM_PYTHON]


@cache
def nearest(name: str) -> str:
    """The module of the two with this or a similar name; "" if neither."""
    stem = name.rpartition(".")[0] if "." in name else name
    found = {known: _alike(stem.lower(), known[:-3]) for known in (MODULE, THEIRS)}
    best = max(found, key=found.__getitem__)
    return best if found[best] >= _NEAR else ""


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _file(path: str) -> str:
    return path.rpartition("/")[2]
