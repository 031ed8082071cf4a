"""Bad input, and refusals of the kernel: a line, a code, no harm."""

import errno
import re

import pytest

from pam_pykeyinit.kernel import sysnums
from support import quotas, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

PAM_SUCCESS, PAM_USER_UNKNOWN, PAM_SESSION_ERR = 0, 10, 14


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("%41%0aroot", r'"A\nroot"'),
        ("a%1b[2J%07", r'"a\x1b[2J\x07"'),
        ("x%7f%5c", r'"x\x7f\\"'),
        ("%e2%80%ae", r'"\u202e"'),  # a right-to-left override
        ("b" * 300, '"' + "b" * 300 + '"'),
        ("alice%20", '"alice "'),
        ("../alice", '"../alice"'),
        ("%25s%25n", '"%s%n"'),
        ("%c3%a4", '"ä"'),
    ],
)
def test_a_strange_name_is_an_unknown_user_and_one_clean_line(
    user: str, shown: str, driver: Driver, loader: str, journal: Journal
) -> None:
    services = driver.services(s=f"session required {loader} force")
    outcome = driver.run(services, f"start 0 s {user}\nopen 0\n")

    assert outcome.codes() == [PAM_USER_UNKNOWN]
    lines = journal.ours()
    assert [line.text for line in lines] == [f"pam_pykeyinit(s:session): unknown user {shown}"]
    assert lines[0].level == "NOTICE"


def test_a_name_that_is_not_utf8_is_an_unknown_user(
    driver: Driver, loader: str, journal: Journal
) -> None:
    services = driver.services(s=f"session required {loader} force")
    outcome = driver.run(services, "start 0 s %ff%fe\nopen 0\n")

    assert outcome.codes() == [PAM_USER_UNKNOWN]
    (line,) = journal.ours()
    assert line.level == "NOTICE"
    assert "unknown user" in line.text
    assert line.text.isascii()


def test_an_argument_that_is_not_utf8_never_succeeds_under_pam_python(
    driver: Driver, journal: Journal
) -> None:
    """pam_python fails before it calls us."""
    stack = f"session required {world.LOADERS['pam_python']} force \xff"
    outcome = driver.run(driver.services(s=stack), "start 0 s alice\nopen 0\nlook\n")

    assert outcome.codes()[0] not in (PAM_SUCCESS, 25)
    assert len(journal.read()) >= 1
    assert "_uid_ses.0" in outcome.steps[-1].session["description"]


def test_an_argument_that_is_not_utf8_is_an_unknown_word(driver: Driver, journal: Journal) -> None:
    """With our own loader; the rest of the line is in force."""
    stack = f"session required {world.LOADERS['native']} \xff force"
    outcome = driver.run(driver.services(s=stack), "start 0 s alice\nopen 0\n")

    assert outcome.codes() == [PAM_SUCCESS]
    assert outcome.steps[1].fields[1] == world.uid("alice")
    (line,) = journal.ours()
    assert line.text == r"pam_pykeyinit(s:session): unknown option: \udcff"


def test_every_call_has_the_words_of_its_own_line(driver: Driver, journal: Journal) -> None:
    """Our loader keeps the words of the last line."""
    shown = {
        "nosuch": ["nosuch"],
        "nosuch more": ["nosuch", "more"],
        "other": ["other"],
        "\xe9": [r"\udce9"],
        "\xc3\xa9": ["\xe9"],  # the same character, in UTF-8
    }
    line = f"session required {world.LOADERS['native']} force"
    services = driver.services(
        **{f"s{number}": f"{line} {words}" for number, words in enumerate(shown)}
    )
    turns = [0, 1, 0, 2, 0, 0, 3, 4, 3, 3]

    outcome = driver.run(
        services, "".join(f"start 0 s{turn} alice\nopen 0\nend 0\n" for turn in turns)
    )

    assert outcome.codes() == [PAM_SUCCESS] * len(turns)
    assert [each.text for each in journal.ours()] == [
        f"pam_pykeyinit(s{turn}:session): unknown option: {word}"
        for turn in turns
        for word in [*shown.values()][turn]
    ]


def test_a_name_beyond_ascii_is_found_in_any_locale(
    driver: Driver, loader: str, journal: Journal
) -> None:
    for locale in ("C", "POSIX", "C.UTF-8", "nosuch"):
        services = driver.services(s=f"session required {loader} force")
        script = "start 0 s j%c3%b6rg\nopen 0\n"
        outcome = driver.run(services, script, env={"LC_ALL": locale})
        assert outcome.codes() == [PAM_SUCCESS], locale
        assert outcome.steps[1].fields[1] == world.uid("jörg")
    assert journal.ours() == []


def _seccomp(error: str, operation: int | None = None) -> str:
    argument = "" if operation is None else f" {operation}"
    return f"seccomp {sysnums.KEYCTL} {getattr(errno, error)}{argument}"


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES"])
@pytest.mark.parametrize("options", ["", "force"])
def test_a_kernel_without_keyrings(
    error: str, options: str, driver: Driver, loader: str, journal: Journal
) -> None:
    """All of keyctl(2) is refused, as in a container; compared with pam_keyinit."""
    codes = []
    for module in (loader, world.ORACLE):
        services = driver.services(s=f"session required {module} {options}")
        script = f"{_seccomp(error)}\nstart 0 s alice\nopen 0\n"
        codes.append(driver.run(services, script).codes())

    ignored = error == "ENOSYS" and not options
    assert codes == [[PAM_SUCCESS if ignored else PAM_SESSION_ERR]] * 2
    (line,) = journal.ours()
    assert line.level == ("NOTICE" if ignored else "ERR")
    call = "JOIN_SESSION_KEYRING" if options else "GET_KEYRING_ID"
    assert f"keyctl({call}): {error}: alice gets no new session keyring" in line.text


def test_a_link_that_is_refused_fails_and_is_revoked_all_the_same(
    driver: Driver, loader: str, journal: Journal
) -> None:
    services = driver.services(
        s=f"session optional {loader} force revoke debug\n" "session required pam_permit.so"
    )
    script = f"{_seccomp('EPERM', 8)}\nstart 0 s alice\nopen 0\nclose 0\n"
    opened, closed = driver.run(services, script).steps[1:3]

    assert opened.fields[1] == world.uid("alice")
    assert opened.session["links"] == []
    assert closed.session == {"error": "EKEYREVOKED"}
    lines = journal.ours()
    (line,) = (line for line in lines if line.level != "DEBUG")
    assert "keyctl(LINK): EPERM: " in line.text
    assert "does not lead to the keys of alice" in line.text
    assert not any("linked" in line.text for line in lines)


def test_a_revocation_that_is_refused_is_logged_and_close_succeeds(
    driver: Driver, loader: str, journal: Journal
) -> None:
    services = driver.services(s=f"session required {loader} force revoke")
    script = f"{_seccomp('EPERM', 3)}\nstart 0 s alice\nopen 0\nclose 0\n"
    outcome = driver.run(services, script)

    assert outcome.codes() == [PAM_SUCCESS, PAM_SUCCESS]
    (line,) = journal.ours()
    assert line.level == "ERR"
    assert "keyctl(REVOKE): EPERM: " in line.text


def test_a_quota_that_is_used_up(driver: Driver, loader: str, journal: Journal) -> None:
    """Really used up: dave fills it with keys, which his user keyring keeps."""
    with quotas.used_up("dave"):
        codes = []
        for module in (loader, world.ORACLE):
            services = driver.services(s=f"session required {module} force")
            codes.append(driver.run(services, "start 0 s dave\nopen 0\n").codes())
        assert codes == [[PAM_SESSION_ERR]] * 2
        (line,) = journal.ours()
        # The last few bytes decide which of the two it is.
        assert re.search(r"keyctl\((JOIN_SESSION_KEYRING|LINK)\): EDQUOT: .*dave", line.text)
        assert "/proc/key-users" in line.text


def test_a_user_who_took_rights_from_the_possessor_is_revoked_all_the_same(
    driver: Driver, loader: str, journal: Journal
) -> None:
    """`keyctl setperm @s`, and only the owner may write: pam_keyinit handles it, so must we."""
    for module in (loader, world.ORACLE):
        services = driver.services(s=f"session required {module} force revoke")
        script = "start 0 s alice\nopen 0\nsetperm 0x3f0000\nclose 0\n"
        outcome = driver.run(services, script)
        assert outcome.steps[-1].session == {"error": "EKEYREVOKED"}, module
    assert journal.ours() == []
