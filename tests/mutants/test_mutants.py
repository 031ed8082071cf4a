"""A bad mutant is killed, a harmless one survives, and explanations match existing lines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutants import loader, verdict
from mutants.run import label
from support import world

PACKAGE = world.ROOT / "pam_pykeyinit"
TEST = "policies/test_policy_words.py"
ADDS_A_KEY = "kernel/test_keyctl.py::test_the_longest_description_is_read_whole"


def _mutant(before: str, after: str, file: str = "policies/words.py") -> dict[str, str]:
    source = (PACKAGE / file).read_text()
    assert source.count(before) == 1
    return {
        "file": file,
        "function": "leaves_out",
        "before": before,
        "after": after,
        "source": source.replace(before, after),
    }


BAD = _mutant("uid < self.minimum_uid", "uid <= self.minimum_uid")
HARMLESS = _mutant("uid < self.minimum_uid", "self.minimum_uid > uid")
# The test's key is in root's user keyring then, which outlives the test.
MISPLACED = _mutant("\nSESSION_KEYRING = -3", "\nSESSION_KEYRING = -4", "kernel/syscalls.py")


@pytest.mark.privileged
def test_a_bad_mutant_is_killed_and_a_harmless_one_survives(tmp_path: Path) -> None:
    """In the installed file, which is restored afterwards, as root's user keyring is."""
    import pam_pykeyinit

    assert pam_pykeyinit.__file__
    installed = Path(pam_pykeyinit.__file__).with_name("policies") / "words.py"
    before = installed.read_text()
    made = tmp_path / "mutants"
    mutants = (BAD, HARMLESS, MISPLACED, BAD)
    made.write_text("".join(json.dumps(mutant) + "\n" for mutant in mutants))
    output = subprocess.run(
        [sys.executable, "-P", world.ROOT / "tests/mutants/run.py", made, TEST, ADDS_A_KEY],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout
    kept = subprocess.check_output(["keyctl", "list", "@u"], text=True)
    verdicts = [json.loads(line)["verdict"] for line in output.splitlines()]
    assert verdicts == ["killed", "survived", "survived", "killed"]
    assert "x" * 4000 not in kept
    assert installed.read_text() == before


def test_only_an_explained_mutant_may_survive() -> None:
    names = [label(BAD), label(HARMLESS)]
    results = [(names[0], "killed"), (names[1], "survived")]
    counts, wrong = verdict.judge(names, results, {})
    assert counts == {"policies/words.py": {"killed": 1, "explained": 0, "survived": 1}}
    assert wrong == [f"survived: {names[1]}"]
    counts, wrong = verdict.judge(names, results, {names[1]: "it is the same"})
    assert counts == {"policies/words.py": {"killed": 1, "explained": 1, "survived": 0}}
    assert wrong == []


def test_a_mutant_that_is_explained_and_not_there_is_named() -> None:
    gone = "policies/words.py leaves_out: a -> b"
    other = "hold.py drop: a -> b"  # not among the mutated files
    _, wrong = verdict.judge([label(BAD)], [], {gone: "x", other: "x"})
    assert wrong == [f"explained, and there is no such mutant: {gone}"]


def test_a_reason_is_of_all_the_mutants_above_it() -> None:
    lines = "# heading;;a.py f: 1 -> 2;a.py f: 1 -> 3;    why;    it is;b.py g: 1 -> 2;    so;"
    text = lines.replace(";", "\n")
    assert verdict.explanations(text) == {
        "a.py f: 1 -> 2": "why it is",
        "a.py f: 1 -> 3": "why it is",
        "b.py g: 1 -> 2": "so",
    }


def test_each_change_of_the_loader_is_of_text_that_it_has_once() -> None:
    names = [label(mutant) for mutant in loader.mutants()]
    assert len(names) > 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("text", ["    why\n", "a.py f: 1 -> 2\n"])
def test_a_list_with_something_missing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="without a"):
        verdict.explanations(text)


def test_what_is_explained_is_of_lines_that_there_are() -> None:
    """./setup mutants checks more, with the mutants."""
    reasons = verdict.explanations(verdict.EXPLAINED.read_text())
    assert reasons
    for mutant in reasons:
        place, _, change = mutant.partition(": ")
        file = place.split()[0]
        source = " ".join(line.strip() for line in (PACKAGE / file).read_text().splitlines())
        before, arrow, after = change.partition(" -> ")
        assert arrow, mutant
        assert before != after, mutant
        assert before.strip() in source, mutant
