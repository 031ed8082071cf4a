"""Very long names and arguments, and very many: a code, one line, the same ids as before.

Strange characters in names: tests/module/test_bad_input.py.
"""

import pytest

from support import world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

SUCCESS, USER_UNKNOWN = 0, 10
LONGEST_LINE = 1000  # of a line in a service file; libpam truncates it at 1024


@pytest.mark.parametrize("length", [32, 256, 1024, 4096, 65_000])
def test_a_very_long_name_is_an_unknown_user(
    length: int, driver: Driver, loader: str, journal: Journal
) -> None:
    services = driver.services(s=f"session required {loader} force")
    outcome = driver.run(services, f"start 0 s {'a' * length}\nopen 0\nstart 1 s alice\nopen 1\n")

    assert outcome.codes() == [USER_UNKNOWN, SUCCESS]
    assert outcome.steps[1].ids == [0] * 6
    (line,) = journal.ours()
    assert line.text.startswith('pam_pykeyinit(s:session): unknown user "aaa')


@pytest.mark.parametrize("name", ["0", "-1", "+", "*", "#0", "%", "root\t", "ROOT", ":", "."])
def test_a_name_that_looks_like_something_else_is_nobodys(
    name: str, driver: Driver, loader: str, journal: Journal
) -> None:
    """The control is the name of an existing user."""
    services = driver.services(s=f"session required {loader} force")
    outcome = driver.run(services, f"start 0 s {name}\nopen 0\nstart 1 s root\nopen 1\n")

    assert outcome.codes() == [USER_UNKNOWN, SUCCESS]
    assert outcome.steps[1].session["serial"] == outcome.steps[0].session["serial"]
    assert len(journal.ours()) == 1


@pytest.mark.parametrize(
    "words",
    [
        "a" * 900,
        " ".join("abcdefgh"[i % 8] for i in range(400)),
        "[" + "x" * 500 + " " + "y" * 300 + "]",
        "%s%n%d " * 100,
        "force=force revoked= debug\\ =",
    ],
    ids=["long", "many", "with a space", "formats", "nearly options"],
)
def test_strange_arguments_change_nothing_and_are_named(
    words: str, driver: Driver, loader: str, journal: Journal
) -> None:
    """The session is the same as with the options alone, which the control has."""
    line = f"session required {loader} force revoke "
    assert len(line + words) < LONGEST_LINE
    script = "start 0 s alice\nopen 0\nclose 0\n"
    strange, plain = (driver.run(driver.services(s=text), script) for text in (line + words, line))

    assert strange.codes() == plain.codes() == [SUCCESS, SUCCESS]
    for mine, control in zip(strange.steps, plain.steps, strict=True):
        assert mine.ids == control.ids
        assert mine.session.get("links") == control.session.get("links")
        assert mine.session.get("error") == control.session.get("error")
    named = [each.text.split("unknown option: ")[1] for each in journal.ours()]
    assert len(named) == len(set(named)) >= 1
    assert all(text.isprintable() for text in named)
    assert world.uid("alice") == strange.steps[1].fields[1]
