"""The intended differences from pam_keyinit: both behaviours, side by side.

Each is named in DIFFERENCES of pam_pykeyinit(8).
"""

import pytest

from support import world
from support.drive import Driver, Outcome
from support.journal import Journal

pytestmark = pytest.mark.privileged

PAM_SESSION_ERR = 14


@pytest.fixture
def both(driver: Driver, loader: str):  # type: ignore[no-untyped-def]
    """Run a script through our module and through pam_keyinit, as service `s`."""

    def run(script: str, options: str = "force revoke") -> tuple[Outcome, Outcome]:
        stacks = (f"session required {module} {options}" for module in (loader, world.ORACLE))
        ours, theirs = (driver.run(driver.services(s=stack), script) for stack in stacks)
        return ours, theirs

    return run


def test_a_second_user_in_the_same_process_gets_a_keyring_of_their_own(both) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = both("start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\n")

    assert theirs.codes() == [0, 0]
    assert theirs.steps[-1].fields[1] == world.uid("alice")  # bob has alice's keys
    assert ours.codes() == [0, 0]
    assert ours.steps[-1].fields[1] == world.uid("bob")


def test_each_of_two_overlapping_sessions_is_revoked_at_its_own_close(both) -> None:  # type: ignore[no-untyped-def]
    for first, second in ((0, 1), (1, 0)):
        ours, theirs = both(
            f"start 0 s alice\nopen 0\nstart 1 s bob\nopen 1\nclose {first}\nclose {second}\n"
        )
        after_one, after_both = ours.steps[-2:]
        keyrings = list(after_both.keyrings)[1:]
        assert [after_one.keyrings[serial] for serial in keyrings] == (
            ["EKEYREVOKED", "live"] if first == 0 else ["live", "EKEYREVOKED"]
        )
        assert {after_both.keyrings[serial] for serial in keyrings} == {"EKEYREVOKED"}
        # pam_keyinit has only one, which exists until both are closed.
        assert len(theirs.steps[-1].keyrings) == 2
        assert "EKEYREVOKED" not in theirs.steps[-2].keyrings.values()


def test_the_saved_group_is_restored_after_close(both) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = both("start 0 s alice\nopen 0\nclose 0\n")

    assert theirs.steps[-1].ids == [0, 0, 0, 0, 0, world.gid("alice")]
    assert ours.steps[-1].ids == [0, 0, 0, 0, 0, 0]


def test_a_saved_user_id_of_its_own_is_kept(both) -> None:  # type: ignore[no-untyped-def]
    carol = world.uid("carol")
    ours, theirs = both(f"ids 0 0 {carol} 0 0 0\nstart 0 s alice\nopen 0\n")

    assert theirs.steps[-1].ids[:3] == [0, 0, 0]
    assert ours.steps[-1].ids[:3] == [0, 0, carol]


def test_an_application_with_lowered_privileges_comes_back_whole(both) -> None:  # type: ignore[no-untyped-def]
    """Real id root, effective id the user's, as after seteuid(2) and setegid(2)."""
    alice, group = world.uid("alice"), world.gid("alice")
    script = f"ids 0 {alice} 0 0 {group} 0\nstart 0 s alice\nopen 0\nclose 0\n"
    ours, theirs = both(script)

    before = [0, alice, 0, 0, group, 0]
    assert theirs.steps[1].ids == [alice] * 3 + [group] * 3, "it has given root up for good"
    assert theirs.codes()[0] == PAM_SESSION_ERR
    assert [step.ids for step in ours.steps] == [before] * 3
    assert ours.codes() == [0, 0]
    assert ours.steps[1].fields[1] == alice


def test_the_last_trace_of_privilege_is_enough_to_come_back(both) -> None:  # type: ignore[no-untyped-def]
    """Only the real ids are root's: after switching them, no id could restore them."""
    alice, group = world.uid("alice"), world.gid("alice")
    script = f"ids 0 {alice} {alice} 0 {group} {group}\nstart 0 s alice\nopen 0\nclose 0\n"
    ours, theirs = both(script)

    assert theirs.steps[1].ids == [alice] * 3 + [group] * 3
    assert [step.ids for step in ours.steps] == [[0, alice, alice, 0, group, group]] * 3
    assert ours.codes() == [0, 0]
    assert ours.steps[1].fields[1] == alice


def test_revoking_as_the_owner_keeps_the_last_trace_of_privilege(both) -> None:  # type: ignore[no-untyped-def]
    """Only the effective ids are root's, and only its owner can revoke the keyring."""
    bob, group = world.uid("bob"), world.gid("bob")
    script = (
        f"ids {bob} 0 {bob} {group} 0 {group}\nstart 0 s alice\nopen 0\n"
        "setperm 0x3f0000\nclose 0\n"
    )
    ours, _ = both(script)
    assert [step.ids for step in ours.steps] == [[bob, 0, bob, group, 0, group]] * 3
    assert list(ours.steps[-1].keyrings.values())[-1] == "EKEYREVOKED"


def test_a_failure_is_logged_without_debug(both, journal: Journal) -> None:  # type: ignore[no-untyped-def]
    both("prep revoked alice\nstart 0 s alice\nopen 0\n", options="")

    lines = [line.text for line in journal.read()]
    assert len(lines) == 1
    assert lines[0].startswith("pam_pykeyinit(s:session): keyctl(GET_KEYRING_ID): EKEYREVOKED:")


def test_an_unknown_option_is_named(both, journal: Journal) -> None:  # type: ignore[no-untyped-def]
    both("start 0 s alice\nopen 0\nclose 0\nend 0\n", options="forced")

    assert [repr(line) for line in journal.read()] == [
        "authpriv.ERR pamdrive: pam_pykeyinit(s:session): unknown option: forced"
    ]


def test_account_and_password_lines_are_ignored_not_unknown(
    driver: Driver, loader: str, journal: Journal
) -> None:
    codes = {}
    for module in (loader, world.ORACLE):
        stack = f"account required {module}\naccount required pam_permit.so\n"
        stack += f"password required {module}"
        services = driver.services(s=stack)
        codes[module] = driver.run(services, "start 0 s alice\nacct 0\nchauthtok 0\n").codes()

    ignored_in_all, unknown = 6, 28  # PAM_PERM_DENIED, PAM_MODULE_UNKNOWN
    assert codes[loader] == [0, ignored_in_all]
    assert codes[world.ORACLE] == [unknown, unknown]
