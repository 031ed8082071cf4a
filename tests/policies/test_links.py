"""The links in a session keyring."""

import errno

import pytest

from pam_pykeyinit.kernel import sysnums
from policies.conftest import Run
from support import world
from support.drive import Driver, Step
from support.journal import Journal

pytestmark = pytest.mark.privileged

_GET_PERSISTENT, _LINK, _UNLINK = 22, 8, 9


def _links(step: Step) -> set[str]:
    uid = str(world.uid("alice"))
    return {link.split(";")[4].removesuffix(uid) for link in step.session["links"]}


@pytest.mark.parametrize(
    ("options", "linked"),
    [
        ("link=user", {"_uid."}),
        ("link=none", set()),
        ("link=user-session", {"_uid_ses."}),
        ("link=user,user-session", {"_uid.", "_uid_ses."}),
        ("link=persistent", {"_persistent."}),
        ("link=user,persistent", {"_uid.", "_persistent."}),
        ("link=nosuch", {"_uid."}),
        ("tag link=none", {"pam_pykeyinit"}),
    ],
)
@pytest.mark.parametrize("name", ["", "name=links-%u-{}"])
def test_links(
    run: Run, options: str, linked: set[str], name: str, request: pytest.FixtureRequest
) -> None:
    """Also with a name, which differs for each test, because a shared keyring keeps its links."""
    name = name.format(abs(hash(request.node.name)))
    outcome = run(f"force {options} {name}", "start 0 s alice\nopen 0\n")
    assert outcome.codes() == [0]
    assert _links(outcome.steps[-1]) == linked
    assert all(
        link.split(";")[1] == str(world.uid("alice"))
        for link in outcome.steps[-1].session["links"]
    )


def test_the_persistent_keyring_is_there_for_the_next_session(run: Run) -> None:
    """So cron finds the keys of a login after that login has ended."""
    script = "start 0 s alice\nopen 0\nclose 0\nend 0\n"
    seen = [
        run("force revoke link=persistent", script).steps[1].session["links"] for _ in range(2)
    ]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("error", ["EOPNOTSUPP", "ENOSYS"])
def test_a_kernel_without_persistent_keyrings(run: Run, error: str, journal: Journal) -> None:
    refusal = f"seccomp {sysnums.KEYCTL} {getattr(errno, error)} {_GET_PERSISTENT}"
    outcome = run("force link=persistent,user", f"{refusal}\nstart 0 s alice\nopen 0\n")
    assert outcome.codes() == [0]
    assert _links(outcome.steps[-1]) == {"_uid."}
    (line,) = journal.ours()
    assert line.level == "NOTICE"
    assert line.text.endswith("link=persistent: this kernel has no persistent keyrings")


def test_a_persistent_keyring_that_is_refused(run: Run, journal: Journal) -> None:
    refusal = f"seccomp {sysnums.KEYCTL} {errno.EACCES} {_GET_PERSISTENT}"
    outcome = run("force link=persistent revoke", f"{refusal}\nstart 0 s alice\nopen 0\nclose 0\n")
    assert outcome.codes()[0] == 14
    assert outcome.steps[-1].session == {"error": "EKEYREVOKED"}
    (line,) = journal.ours()
    assert "does not lead to the persistent keyring of alice" in line.text


def test_a_circle_is_not_made(driver: Driver, loader: str, journal: Journal) -> None:
    """The user has linked the shared session keyring into the user-session keyring."""
    alice, group = world.uid("alice"), world.gid("alice")
    services = driver.services(
        bare=f"session required {loader} force name=circle-%u link=none",
        full=f"session required {loader} force name=circle-%u link=user-session,user debug",
    )
    script = f"start 0 bare alice\nopen 0\nids {alice} 0 0 {group} 0 0\nkeyctl {_LINK} -3 -5\n"
    outcome = driver.run(services, f"{script}start 1 full alice\nopen 1\nkeyctl {_UNLINK} -3 -5\n")
    assert outcome.codes() == [0, 0]
    assert _links(outcome.steps[-1]) == {"_uid."}
    lines = [line.text for line in journal.ours() if "leads to session keyring" in line.text]
    assert len(lines) == 1
    assert "the user-session keyring leads to session keyring" in lines[0]


def test_the_users_keyrings_and_nobody_elses(run: Run) -> None:
    """The application's real ids are another user's, as sudo's are."""
    bob, group = world.uid("bob"), world.gid("bob")
    outcome = run(
        "force link=user,user-session,persistent",
        f"ids {bob} 0 0 {group} 0 0\nstart 0 s alice\nopen 0\n",
    )
    links = [link.split(";") for link in outcome.steps[-1].session["links"]]
    assert {(int(link[1]), link[4].rpartition(".")[2]) for link in links} == {
        (world.uid("alice"), str(world.uid("alice")))
    }
