"""Options of users who have really used up their quota of keys."""

import re

import pytest

from policies.conftest import Run
from support import quotas, world
from support.journal import Journal

pytestmark = pytest.mark.privileged

PAM_SUCCESS, PAM_SESSION_ERR = 0, 14
# The quota counts a session keyring and a link in it as 9 bytes, a tag as more than 60.
ROOM = 40


def test_the_tag_is_left_out_and_the_session_keyring_is_not(run: Run, journal: Journal) -> None:
    """The free quota is enough for the keyring, and not for the tag."""
    with quotas.used_up("dave", but=ROOM):
        outcome = run("force tag debug", "start 0 s dave\nopen 0\n")
        assert outcome.codes() == [PAM_SUCCESS]
        session = outcome.steps[-1]
        assert session.fields[1] == world.uid("dave")
        assert [link.split(";")[4] for link in session.session["links"]] == [
            f"_uid.{world.uid('dave')}"
        ]
        lines = [(line.level, line.text) for line in journal.ours() if "tag" in line.text]
        assert lines == [
            (
                "DEBUG",
                "pam_pykeyinit(s:session): add_key(user): EDQUOT: the session keyring gets no tag",
            )
        ]
    # With quota, the same user has a tag.
    outcome = run("force tag", "start 0 s dave\nopen 0\n")
    assert len(outcome.steps[-1].session["links"]) == 2


def test_a_session_goes_on_without_a_keyring_where_the_administrator_says_so(
    run: Run, journal: Journal
) -> None:
    with quotas.used_up("dave"):
        script = "start 0 s dave\nopen 0\n"
        assert run("force on_error=fail", script).codes() == [PAM_SESSION_ERR]
        (line,) = journal.ours()
        assert line.level == "ERR"

        outcome = run("force on_error=degrade", script)
        assert outcome.codes() == [PAM_SUCCESS]
        (line,) = journal.ours()
        assert line.level == "WARNING"
        # The last few bytes decide which of the two it is.
        assert re.search(r"keyctl\((JOIN_SESSION_KEYRING|LINK)\): EDQUOT: .*dave", line.text)
        assert line.text.endswith(": continuing without it, by on_error=degrade")
        before, after = (step.session for step in outcome.steps)
        if "JOIN_SESSION_KEYRING" in line.text:
            assert after["serial"] == before["serial"]
        else:
            assert (outcome.steps[-1].fields[1], after["links"]) == (world.uid("dave"), [])

        # His quota affects only him.
        assert run("force on_error=fail", "start 0 s alice\nopen 0\n").codes() == [PAM_SUCCESS]
        assert journal.ours() == []
