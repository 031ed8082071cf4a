"""The decisions, without the kernel."""

import errno
import syslog

import pytest

from pam_pykeyinit import codes, failure, log, session
from pam_pykeyinit.kernel import libc, syscalls, sysnums
from pam_pykeyinit.module import Handle
from pam_pykeyinit.policies import quota
from support.pamh import Pamh


def test_a_session_keyring_is_made_where_there_is_none_or_the_default_one() -> None:
    assert session.must_create(session=7, user_session=7)
    assert not session.must_create(session=8, user_session=7)


@pytest.mark.parametrize(
    ("opens", "keyring", "revoke", "ends"),
    [
        (0, 7, True, True),
        (-1, 7, True, True),  # closed without having been opened, as after setcred alone
        (1, 7, True, False),
        (0, 0, True, False),
        (0, 7, False, False),
    ],
)
def test_which_close_revokes(opens: int, keyring: int, revoke: bool, ends: bool) -> None:
    assert session.must_revoke(opens, keyring, revoke) is ends


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alice", "alice"),
        ("jörg", "jörg"),
        ("a\nb", r"a\nb"),
        ("a\\nb", r"a\\nb"),
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("\udcff", r"\udcff"),
        ("\u2028\u202e", r"\u2028\u202e"),
        ("\x00", r"\x00"),
        ("%s %n", "%s %n"),
    ],
)
def test_a_line_stays_one_line(text: str, shown: str) -> None:
    assert log.printable(text) == shown


def test_the_levels_are_those_of_syslog() -> None:
    names = ("ALERT", "ERR", "WARNING", "NOTICE", "DEBUG")
    ours = {name: getattr(log, name) for name in names}
    assert ours == {name: getattr(syslog, f"LOG_{name}") for name in names}


class Refusing:
    """A handle whose service libpam refuses, or does not know."""

    def __init__(self, service: "str | None | Exception") -> None:
        self._service = service

    @property
    def service(self) -> "str | None":
        if isinstance(self._service, Exception):
            raise self._service
        return self._service


@pytest.mark.parametrize("service", [None, "", RuntimeError("refused")])
def test_a_line_without_a_service_is_pam_syslogs(
    service: "str | None | Exception", monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[tuple[int, bytes]] = []
    monkeypatch.setattr(libc, "syslog", lambda *line: lines.append(line))
    handle = Refusing(service)
    say = log.writer(handle, "session", debug=False)  # type: ignore[arg-type]  # only this is asked
    say(log.ERR, "refused %d of %s", 1, "2")
    say(log.DEBUG, "a step")
    level = syslog.LOG_AUTHPRIV | syslog.LOG_ERR
    assert lines == [(level, b"pam_pykeyinit(<unknown>:session): refused 1 of 2")]


def test_an_attempt_that_is_refused_says_what_follows() -> None:
    def refused(keyring: int) -> None:
        raise syscalls.KernelError(errno.EKEYREVOKED, f"call({keyring})")

    with pytest.raises(failure.Failed, match=r"^call\(7\): EKEYREVOKED: no link \(the ") as found:
        session._attempt("no link", refused, 7)
    assert isinstance(found.value.__cause__, syscalls.KernelError)


@pytest.mark.parametrize(("result", "number"), [(-1, 1), (-4095, 4095)])
def test_what_the_kernel_refuses_is_raised(result: int, number: int) -> None:
    with pytest.raises(syscalls.KernelError) as found:
        syscalls.checked("call", result)
    assert (found.value.errno, found.value.call) == (number, "call")


@pytest.mark.parametrize("result", [0, 1, -4096, -(2**31)])
def test_what_the_kernel_gives_is_passed_on(result: int) -> None:
    """In a 32-bit process an address of the upper half looks negative."""
    assert syscalls.checked("call", result) == result


def test_a_refusal_is_worded_with_call_errno_consequence_and_hint() -> None:
    error = syscalls.KernelError(errno.EDQUOT, "keyctl(LINK)")
    assert str(failure.failed(error, "no link")) == (
        "keyctl(LINK): EDQUOT: no link "
        "(the owner's key quota is used up: see /proc/key-users, kernel.keys.maxkeys)"
    )


def test_an_errno_without_a_hint_is_told_in_the_systems_words() -> None:
    assert str(failure.failed(syscalls.KernelError(errno.ENFILE, "c"), "x")) == (
        "c: ENFILE: x (Too many open files in system)"
    )
    assert str(failure.failed(syscalls.KernelError(9999, "c"), "x")).startswith("c: 9999: x (")


@pytest.mark.parametrize(
    ("triplet", "key"),
    [
        ("x86_64-linux-gnu", "x86_64"),
        ("x86_64-linux-gnux32", ""),
        ("i386-linux-gnu", "i386"),
        ("arm-linux-gnueabihf", "arm"),
        ("aarch64-linux-musl", "aarch64"),
        ("powerpc64le-linux-gnu", "powerpc64le"),
        ("", ""),
    ],
)
def test_the_architecture_is_the_interpreters(triplet: str, key: str) -> None:
    assert sysnums.architecture(triplet) == key


@pytest.mark.parametrize(
    ("keys", "size", "above"),
    [
        (100, 10_000, False),  # 50% is not more than 50%
        (101, 0, True),
        (0, 10_001, True),
        (99, 9_999, False),
        (200, 20_000, True),
    ],
)
def test_how_much_is_above_half_of_a_quota(keys: int, size: int, above: bool) -> None:
    assert quota.above((keys, 200, size, 20_000), 50) is above


@pytest.mark.parametrize("user", ["nobody-has-this", ValueError("not UTF-8")])
def test_a_line_that_cannot_be_written_does_not_change_the_answer(
    user: str | ValueError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example for lack of memory; that there is no such user stays true."""
    lines: list[bytes] = []

    def write(priority: int, line: bytes) -> None:
        lines.append(line)
        raise MemoryError

    monkeypatch.setattr(libc, "syslog", write)
    answer = Handle().pam_sm_open_session(Pamh(user), 0, ["pam_pykeyinit", "force"])
    assert answer == codes.PAM_USER_UNKNOWN
    (line,) = lines
    assert b"(sshd:session): unknown user" in line
