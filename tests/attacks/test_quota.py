"""A user exhausts their own quota, to stop the logins or the logouts of other users.

A quota counts everything that one user owns.  A new keyring is charged by the ids of the
process that creates it; a link is charged to the owner of the keyring that contains it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks import undefended
from support import quotas, world
from support.drive import Driver
from support.journal import Journal

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("workshop")]

SUCCESS, SESSION_ERR = 0, 14
OURS = "pam_pykeyinit.so force revoke"


@pytest.fixture(autouse=True)
def _dave_has_no_quota_left() -> Iterator[None]:
    with quotas.used_up("dave"):
        yield


def test_others_log_in_and_only_he_is_refused(driver: Driver, loader: str) -> None:
    services = driver.services(s=f"session required {loader} force revoke")
    script = "start 0 s {}\nopen 0\n"
    assert driver.run(services, script.format("alice")).codes() == [SUCCESS]
    assert driver.run(services, script.format("dave")).codes() == [SESSION_ERR]


@pytest.mark.parametrize(
    ("without", "code"),
    [([], SUCCESS), (["the keyring is made with the user's ids"], SESSION_ERR)],
)
def test_he_cannot_make_a_set_user_id_program_fail(
    without: list[str], code: int, pamdrive: Path, tmp_path: Path
) -> None:
    """The real uid of sudo is the caller's; keyrings for the target user are not charged to it."""
    driver = undefended.driver(tmp_path, pamdrive, *without)
    services = driver.services(s=f"session required {OURS}")
    his = [world.uid("dave"), 0, 0, 0, 0, 0]
    script = f"ids {' '.join(map(str, his))}\nstart 0 s alice\nopen 0\n"
    assert driver.run(services, script).codes() == [code]


@pytest.mark.parametrize(
    ("without", "ended", "logged"),
    [([], "EKEYREVOKED", set()), (["the hold is the host's"], "live", {"WARNING", "ERR"})],
)
def test_he_cannot_keep_the_session_of_another_alive(
    without: list[str],
    ended: str,
    logged: set[str],
    pamdrive: Path,
    tmp_path: Path,
    journal: Journal,
) -> None:
    """In one process: his session displaces alice's, and then hers is closed."""
    driver = undefended.driver(tmp_path, pamdrive, *without)
    services = driver.services(s=f"session optional {OURS}\nsession required pam_permit.so")
    script = "start 0 s alice\nopen 0\nstart 1 s dave\nopen 1\nstart 2 s bob\nopen 2\nclose 0\n"
    steps = driver.run(services, script).steps
    hers = steps[1].session["serial"]
    assert steps[-2].keyrings[hers] == "live"
    assert steps[-1].keyrings[hers] == ended
    # dave's own session is refused its link or its keyring, which is one more line.
    lines = [line for line in journal.ours() if "dave" not in line.text]
    assert {line.level for line in lines} == logged
    assert all("EDQUOT" in line.text for line in lines if line.level == "WARNING")
