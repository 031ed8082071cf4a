"""The reactions of a plan, or a shared name, to refusals that no kernel produces on demand."""

import errno

import keyutils
import pytest

from pam_pykeyinit import codes, log, options
from pam_pykeyinit.failure import Failed, failed
from pam_pykeyinit.kernel import identity, keyctl, syscalls
from pam_pykeyinit.module import Handle
from pam_pykeyinit.policies import naming
from pam_pykeyinit.policies.plan import Plan
from pam_pykeyinit.user import User
from support import world
from support.child import in_child
from support.journal import Journal
from support.pamh import Pamh

pytestmark = pytest.mark.privileged

REFUSED = syscalls.KernelError


def _plan(*words: str) -> Plan:
    policy = options.parse(list(words)).policy
    assert policy
    user = User("alice", world.uid("alice"), world.gid("alice"))
    return Plan(policy, user, Pamh("alice"))


def _caused(cause: Exception | None) -> Failed:
    failure = failed(cause, "x") if isinstance(cause, REFUSED) else Failed("x")
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    ("cause", "goes_on"),
    [
        *((REFUSED(getattr(errno, name), "keyctl(LINK)"), True) for name in ("EACCES", "EDQUOT")),
        *((REFUSED(getattr(errno, name), "keyctl(LINK)"), True) for name in ("ENOSYS", "EPERM")),
        (REFUSED(errno.EKEYREVOKED, "keyctl(LINK)"), False),
        (REFUSED(errno.EPERM, "setresuid"), False),
        (OSError(errno.EPERM, "of something else"), False),
        (None, False),
    ],
)
def test_a_session_goes_on_where_keyrings_are_denied_and_not_where_ids_are(
    cause: Exception | None, goes_on: bool
) -> None:
    assert _plan("on_error=degrade").tolerates(_caused(cause)) is goes_on
    assert not _plan("tag").tolerates(_caused(cause))


@pytest.mark.parametrize(
    ("words", "close", "cred"),
    [("revoke=90", True, True), ("revoke=cred", False, True), ("revoke tag", True, True)],
)
def test_which_call_ends_the_keyring(words: str, close: bool, cred: bool) -> None:
    plan = _plan(*words.split())
    assert (plan.ends_with("close"), plan.ends_with("cred")) == (close, cred)


def test_a_name_may_have_the_service_in_it() -> None:
    assert _plan("name=%s-%u").keyring_name() == "sshd-alice"


@pytest.mark.parametrize(
    ("link", "refused", "number", "code", "line"),
    [
        ("persistent", "get_persistent", errno.EOPNOTSUPP, codes.PAM_SUCCESS, "no persistent"),
        ("persistent", "get_persistent", errno.ENOSYS, codes.PAM_SUCCESS, "no persistent"),
        ("persistent", "get_persistent", errno.EACCES, codes.PAM_SESSION_ERR, "does not lead"),
        ("user", "link", errno.ENOSYS, codes.PAM_SESSION_ERR, "does not lead to the user keyring"),
        ("user", "link", errno.EDEADLK, codes.PAM_SUCCESS, ""),
    ],
)
def test_a_keyring_that_cannot_be_linked(
    link: str,
    refused: str,
    number: int,
    code: int,
    line: str,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*arguments: int) -> None:
        raise syscalls.KernelError(number, f"keyctl({refused})")

    monkeypatch.setattr(keyctl, refused, refuse)
    words = ["pam_pykeyinit", "force", f"link={link}"]
    assert in_child(lambda: Handle().pam_sm_open_session(Pamh("alice"), 0, words)) == code
    reported = [each.text for each in journal.ours()]
    assert len(reported) == (1 if line else 0)
    assert all(line in each for each in reported)


def test_a_keyring_that_was_left_for_one_without_a_name_is_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its permissions changed between the two checks, so it is not shared.

    The new keyring has the requested links, and is revoked with the session.
    """

    def seen() -> list[object]:
        monkeypatch.setattr(naming, "look_again", lambda serial, user: "gives rights to others")
        words = ["pam_pykeyinit", "force", "revoke", "name=left%u", "link=user"]
        handle = Handle()
        codes_of = [handle.pam_sm_open_session(Pamh("alice"), 0, words)]
        name = keyctl.describe(syscalls.SESSION_KEYRING)[4]
        links = memoryview(keyutils.read_key(syscalls.SESSION_KEYRING)).cast("i")
        linked = [keyctl.describe(key)[4] for key in links]
        codes_of.append(handle.pam_sm_close_session(Pamh("alice"), 0, words))
        with pytest.raises(syscalls.KernelError) as dead:
            syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
        return [codes_of, name, linked, dead.value.errno]

    user_keyring = f"_uid.{world.uid('alice')}"
    assert in_child(seen) == [[0, 0], "_ses", [user_keyring], errno.EKEYREVOKED]


@pytest.mark.parametrize(
    ("has_one", "reported"),
    [(True, ": left at once"), (False, " cannot be left: end this session")],
)
def test_a_keyring_is_left_for_the_user_session_keyring_where_there_is_no_other(
    has_one: bool, reported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota is used up; if even that keyring is not available, an administrator must act."""

    def refuse(*name: str) -> int:
        raise syscalls.KernelError(errno.EDQUOT, "keyctl(JOIN_SESSION_KEYRING)")

    alice = User("alice", world.uid("alice"), world.gid("alice"))

    def seen() -> tuple[bool, int, str]:
        found: list[bool] = []
        said: list[tuple[int, str]] = []

        def leave() -> None:
            serial = syscalls.join_anonymous_session()
            monkeypatch.setattr(syscalls, "join_anonymous_session", refuse)
            if not has_one:
                monkeypatch.setattr(keyctl, "join_named_session", lambda name: serial)
            with pytest.raises(syscalls.KernelError):
                naming.leave(serial, "is bad", alice, said)  # type: ignore[arg-type]
            session = syscalls.get_keyring_id(syscalls.SESSION_KEYRING)
            found.append(session == syscalls.get_keyring_id(syscalls.USER_SESSION_KEYRING))

        identity.with_real_ids(alice.uid, alice.gid, leave)
        ((level, text),) = said
        return found[0], level, text

    is_default, level, text = in_child(seen)
    assert (is_default, level) == (has_one, log.ALERT)
    assert text.endswith(reported)


def test_what_takes_the_place_of_a_new_keyring_meanwhile_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another user creates the name between the checks: the joined keyring must not be opened."""

    def seen() -> tuple[str, bool, str]:
        found = [(1, "", False), (2, "belongs to uid 7", False)]
        monkeypatch.setattr(naming, "_enter", lambda name, user: found.pop(0))
        monkeypatch.setattr(naming, "_open_to_owner", lambda serial, user: "")
        said: list[tuple[int, str]] = []
        alice = User("alice", world.uid("alice"), world.gid("alice"))
        with pytest.raises(naming.NotFound):
            naming.join("meanwhile", alice, said, make=False)  # type: ignore[arg-type]
        serial, shared = naming.join("meanwhile", alice, said, make=True)  # type: ignore[arg-type]
        return keyctl.describe(serial)[4], shared, said[-1][1]

    name, shared, reported = in_child(seen)
    assert (name, shared) == ("_ses", False)
    assert reported.startswith("session keyring 2 belongs to uid 7: left at once")
