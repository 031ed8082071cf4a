"""Which lines of PAM are ours, or were meant to be, and what their words ask for.  Pure.

The words are read by the module's own parser.
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
_NEAR = 0.85  # of 1, how alike two names are
_WORDS = (
    "debug", "force", "revoke", "name", "link", "minimum_uid", "ignore_root", "on_error",
    "foreign", "tag", "refresh", "quota_warn",
)  # fmt: skip


def is_ours(entry: Entry) -> bool:
    """Whether an entry loads our module, by whichever loader."""
    if entry.name == PAM_PYTHON:
        return bool(entry.arguments) and _file(entry.arguments[0]) == SCRIPT
    return entry.name == MODULE


def interpreter(module: str) -> str:
    """The file that our loader opens beside itself."""
    return f"{module.removesuffix(MODULE)}{inside.FILE}"


def is_maker(entry: Entry) -> bool:
    """Whether it is pam_keyinit or ours."""
    return is_ours(entry) or entry.name == THEIRS


def is_native(entry: Entry) -> bool:
    """Whether it is loaded by our own loader."""
    return entry.name == MODULE


def loader(entry: Entry) -> str:
    """What of a line of ours names the code: the module, and pam_python's script."""
    return " ".join((entry.module, *entry.arguments[: entry.name == PAM_PYTHON]))


def with_the_module_of(other: Entry, entry: Entry) -> Entry:
    """The entry with another's module, and script of pam_python's, and its own words."""
    script = other.arguments[: other.name == PAM_PYTHON]
    return entry._replace(module=other.module, arguments=(*script, *words(entry)))


def words(entry: Entry) -> tuple[str, ...]:
    """The words of a line of ours that are options."""
    return entry.arguments[1:] if entry.name == PAM_PYTHON else entry.arguments


def wrong(entry: Entry) -> tuple[str, ...]:
    """What the module would say of its words, as it says it in the log."""
    return options.parse(list(words(entry))).wrong


def always_makes(entry: Entry) -> bool:
    """Whether a keyring module leaves no keyring of the daemon's in place."""
    if not is_ours(entry):
        return "force" in entry.arguments
    return is_fresh(words(entry))


def is_fresh(asked: Sequence[str]) -> bool:
    """Whether these words of ours have a keyring made although there is one of somebody else's."""
    parsed = options.parse(list(asked))
    return parsed.force or (parsed.policy is not None and parsed.policy.replace)


def as_meant(word: str) -> str:
    """A good word as it is; a mistyped one as it was meant, or "" where that cannot be seen."""
    if not options.parse([word]).wrong:
        return word
    name, sign, value = word.partition("=")
    for close in get_close_matches(name.lower(), _WORDS, 1, 0.75):
        candidate = f"{close}{sign}{value}"
        if not options.parse([candidate]).wrong:
            return candidate
    return ""


def corrected(entry: Entry) -> Entry:
    """It without the words that are wrong: as they were meant, where that can be seen."""
    good: list[str] = []
    for word in words(entry):
        if right := as_meant(word):
            good.append(right)
        elif word.partition("=")[0] == "revoke":  # what the module takes it for
            good.append("revoke")
    script = entry.arguments[: entry.name == PAM_PYTHON]
    return entry._replace(arguments=(*script, *dict.fromkeys(good)))


def meant(entry: Entry) -> str:
    """Which module (or script of pam_python.so) it nearly names; "" if none, or exactly."""
    if is_maker(entry):
        return ""
    if entry.name == PAM_PYTHON:
        near = nearest(_file(entry.arguments[0])) if entry.arguments else ""
        return SCRIPT if near == MODULE else ""
    return nearest(entry.name)


def files_of(entry: Entry) -> Iterator[str]:
    """The files that a line of ours, or one that nearly is, names."""
    if is_ours(entry) or meant(entry):
        yield entry.module
        if entry.name == MODULE:
            yield interpreter(entry.module)
        yield from entry.arguments[: entry.name == PAM_PYTHON]


@cache
def nearest(name: str) -> str:
    """Which of the two modules a file name is, or nearly; "" if neither."""
    stem = name.rpartition(".")[0] if "." in name else name
    found = {known: _alike(stem.lower(), known[:-3]) for known in (MODULE, THEIRS)}
    best = max(found, key=found.__getitem__)
    return best if found[best] >= _NEAR else ""


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _file(path: str) -> str:
    return path.rpartition("/")[2]
