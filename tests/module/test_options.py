"""The options of a PAM line."""

import itertools

import pytest

from pam_pykeyinit import options

WORDS = ("debug", "force", "revoke")


def _flags(parsed: options.Options) -> tuple[bool, bool, bool]:
    return parsed.debug, parsed.force, parsed.revoke


@pytest.mark.parametrize("count", range(4))
def test_every_combination_in_every_order(count: int) -> None:
    for words in itertools.permutations(WORDS, count):
        parsed = options.parse(list(words))
        assert _flags(parsed) == tuple(word in words for word in WORDS)
        assert (parsed.policy, parsed.wrong) == (None, ())


def test_repetition_changes_nothing() -> None:
    assert _flags(options.parse(["force"] * 3)) == (False, True, False)


UNKNOWN = ["Force", "force=1", "", "forced", "-f", "ä", "\udcff", "tag=yes", "named=x"]


@pytest.mark.parametrize("word", UNKNOWN)
def test_an_unknown_word_is_kept_and_otherwise_not_there(word: str) -> None:
    parsed = options.parse(["revoke", word, "debug"])
    assert _flags(parsed) == (True, False, True)
    assert parsed.wrong == (f"unknown option: {word}",)
