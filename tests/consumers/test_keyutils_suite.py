"""The tests of keyutils itself, run by ordinary users in several kinds of session."""

import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from consumers import debian
from consumers.sessions import Opener, Session, Way
from support.fetched import CACHE, readable

pytestmark = pytest.mark.privileged

# One user each, so that they can run at the same time.
ORACLE = ("alice", Way("sshd", "pam_keyinit"))
OTHERS = [("bob", Way("sshd", "native")), ("carol", Way("run"))]
# It uses up the user's quota, which is raised while tests run.
LEFT_OUT = "features/limits"
# These words stop it from creating a session keyring of its own.
ONE = "cd {test} && OUTPUTFILE=$PWD/out TEST={test} bash ./runtest.sh --inside-test-session"


@pytest.fixture(scope="module")
def suite() -> Path:
    """The folder of the tests."""
    return debian.source("keyutils") / "tests"


def passes(session: Session, where: Path, test: str) -> bool:
    """Whether a test of the suite passes."""
    return session(f"cd {where} && {ONE.format(test=shlex.quote(test))}").status == 0


def failures(session: Session, suite: Path, folder: Path) -> set[str]:
    """The tests that fail in a session, in a copy of the suite that the user owns."""
    where = folder / session.do("id -un")
    session.do(f"cp -r {suite} {where}")
    found = session.do(f"cd {where} && find keyctl bugzillas features -name runtest.sh")
    tests = {line.removesuffix("/runtest.sh") for line in found.splitlines()} - {LEFT_OUT}
    assert len(tests) > 70
    return {test for test in sorted(tests) if not passes(session, where, test)}


def test_the_same_of_them_pass(
    opened: Opener, suite: Path, folder: Path, remarks: list[str]
) -> None:
    sessions = [opened(way, user) for user, way in (ORACLE, *OTHERS)]
    seen = readable() / suite.relative_to(CACHE)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda session: failures(session, seen, folder), sessions))
    oracle, *others = found
    assert len(oracle) < 10
    for session, failed, (user, way) in zip(sessions[1:], others, OTHERS, strict=True):
        # Some of them are races: a test counts as failed here if it fails twice.
        again = {test for test in failed - oracle if not passes(session, folder / user, test)}
        assert again == set(), way
    remarks.append(f"keyutils' own suite: fails with pam_keyinit: {', '.join(sorted(oracle))}")
