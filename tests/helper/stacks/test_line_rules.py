"""The findings of `check` about our lines: options, names, types, reachability."""

import random
from pathlib import Path

import pytest

from helper.stacks.test_rules import OURS, SCRIPT, THEIRS, UNIX, judged, service
from pykeyinit_helper.stacks import stack
from pykeyinit_helper.stacks.dispatch import reachable, skip
from pykeyinit_helper.stacks.entries import Entry
from pykeyinit_helper.stacks.machine import Facts
from pykeyinit_helper.stacks.units import Unit

AUTH = "auth required pam_unix.so\n"
KRB5 = "auth optional pam_krb5.so\n"


def rules_of(folder: Path, facts: Facts, **files: str) -> list[str]:
    return [finding.rule for finding in judged(service(folder, **files), facts)]


@pytest.mark.parametrize(
    ("words", "named", "corrected"),
    [
        (
            "revoke=5x link=usr minimum_uid=foo",
            ["revoke=5x", "link=usr", "minimum_uid=foo"],
            "revoke",
        ),
        ("force revok", ["revok"], "force revoke"),
        ("forced revoke", ["forced"], "force revoke"),
        ("Force revoke=10min", ["Force", "revoke=10min"], "force revoke"),
        ("force foreign=yes", ["foreign=yes"], "force"),
        ("revok=10m force", ["revok=10m"], "revoke=10m force"),
        ("force gibberish", ["gibberish"], "force"),
        ("force revoke name=%z", ["name=%z"], "force revoke"),
        ("force quota_warn=0 on_error=ignore", ["quota_warn=0", "on_error=ignore"], "force"),
        ("nonsense", ["nonsense"], ""),
    ],
)
@pytest.mark.parametrize("loader", ["pam_pykeyinit.so", "pam_python.so pam_pykeyinit.py"])
@pytest.mark.parametrize("kind", ["session", "auth"])
def test_words_that_the_module_does_not_take(
    loader: str, kind: str, words: str, named: list[str], corrected: str, tmp_path: Path
) -> None:
    (found,) = judged(service(tmp_path, sshd=f"{kind} optional {loader} {words}\n"))
    assert (found.rule, found.line) == ("options", 1)
    assert all(word in found.what for word in named)
    line = f"{kind} optional {loader} {corrected}".rstrip()
    assert found.mend == f"sed -i --follow-symlinks -e '1c {line}' {tmp_path}/sshd"


@pytest.mark.parametrize(
    "words",
    [
        "debug force revoke",
        "revoke=never link=none",
        "name=%u-x foreign=replace tag refresh quota_warn=90 on_error=degrade ignore_root",
    ],
)
def test_words_that_it_takes(words: str, tmp_path: Path) -> None:
    assert judged(service(tmp_path, sshd=f"session optional pam_pykeyinit.so {words}\n")) == []


def test_a_command_is_never_made_of_what_a_shell_would_read(tmp_path: Path) -> None:
    """The author of the file must not choose the command that the administrator pastes."""
    for word in ("$(id)", "`id`", "'; id; '", "a\\nb", "\x1b[31m", "[x y]", "[a;b]"):
        text = f"session optional pam_pykeyinit.so force tag {word}\n"
        (found,) = judged(service(tmp_path, sshd=text, x_y="session optional pam_unix.so\n"))
        line = "session optional pam_pykeyinit.so force tag"
        assert found.mend == f"sed -i --follow-symlinks -e '1c {line}' {tmp_path}/sshd"
    text = "session required pam_pykeyinit.so $(id) '\n"
    found = judged(service(tmp_path, sshd=text))[0]
    line = "session optional pam_pykeyinit.so $(id) '\"'\"'"
    assert found.mend == f"sed -i --follow-symlinks -e '1c {line}' {tmp_path}/sshd"
    (found, _) = judged(service(tmp_path, sshd="session required pam_pykeyinit.so a\\b\n"))
    assert found.mend == "by hand: write `optional`"


@pytest.mark.parametrize(
    ("line", "absent", "meant"),
    [
        ("session optional pam_pykeyint.so force", "pam_pykeyint.so", "pam_pykeyinit.so force"),
        ("session optional pam_pykeyinit force", "pam_pykeyinit", "pam_pykeyinit.so force"),
        ("session optional pam_pykeyinit.py force", "pam_pykeyinit.py", "pam_pykeyinit.so force"),
        ("-session optional pam_pykeyinit.os", "pam_pykeyinit.os", "pam_pykeyinit.so"),
        ("session optional PAM_PYKEYINIT.so", "PAM_PYKEYINIT.so", "pam_pykeyinit.so"),
        ("session optional /x/pam_pkyeyinit.so", "/x/pam_pkyeyinit.so", "pam_pykeyinit.so"),
        ("session optional pam_keyint.so force", "pam_keyint.so", "pam_keyinit.so force"),
        (
            "session optional pam_python.so pam_pykeyint.py force",
            "pam_pykeyint.py",
            "pam_python.so pam_pykeyinit.py force",
        ),
        (
            "session optional pam_python.so pam_pykeyinit.so",
            "pam_pykeyinit.so",
            "pam_python.so pam_pykeyinit.py",
        ),
    ],
)
def test_a_module_that_is_misspelt(line: str, absent: str, meant: str, tmp_path: Path) -> None:
    folders = service(tmp_path, sshd=line + "\n", login=THEIRS)
    facts = Facts(absent=frozenset({absent}))
    (found,) = judged(folders, facts)  # and no "without": one cause, one finding
    assert (found.rule, found.services, found.line) == ("misspelt", ("sshd",), 1)
    beginning = line.partition(" optional")[0]
    assert f"'1c {beginning} optional {meant}'" in found.mend
    there = rules_of(tmp_path, Facts())
    assert ("misspelt" in there) == (absent == "pam_pykeyinit.py")  # which no libpam loads


@pytest.mark.parametrize("name", ["pam_unix.so", "pam_python.so", "pam_key.so", "pam_keyring.so"])
def test_other_modules_are_not_misspelt(name: str, tmp_path: Path) -> None:
    line = f"session optional {name}\n"
    facts = Facts(absent=frozenset({name}))
    assert rules_of(tmp_path, facts, sshd=line, passwd=OURS) == ["without"]


@pytest.mark.parametrize("kind", ["account", "password"])
@pytest.mark.parametrize("line", [OURS, THEIRS, SCRIPT])
def test_a_line_of_a_type_in_which_it_does_nothing(kind: str, line: str, tmp_path: Path) -> None:
    wrong = line.replace("session", kind)
    (found,) = judged(service(tmp_path, sshd=wrong, login=THEIRS))
    assert (found.rule, found.services, found.line) == ("wrong-type", ("sshd",), 1)
    assert f"'1c {line.strip()}'" in found.mend
    (found,) = judged(service(tmp_path, sshd=THEIRS + wrong))
    assert (found.rule, found.line) == ("wrong-type", 2)
    assert "-e 2d " in found.mend


def test_a_line_of_type_auth_alone_is_a_keyring(tmp_path: Path) -> None:
    """It creates one at pam_setcred(3)."""
    auth = OURS.replace("session", "auth")
    assert judged(service(tmp_path, sshd=AUTH + auth, login=THEIRS)) == []


UNREACHED = [
    ("session sufficient pam_permit.so\n" + OURS, True),
    ("session sufficient pam_sss.so\n" + OURS + UNIX, True),
    ("session sufficient pam_unix.so\nsession optional pam_ldap.so\n" + OURS, True),
    ("session [success=done default=ignore] pam_unix.so\n" + OURS, True),
    ("session [success=1 default=ignore] pam_unix.so\n" + OURS + UNIX, True),
    ("session [default=1] pam_permit.so\n" + OURS + UNIX, True),
    ("session requisite pam_deny.so\n" + OURS, True),
    ("session include part\n" + OURS, True),  # as if its lines were here
    ("session substack part\n" + OURS, False),  # it ends only the substack
    ("session substack ours\n", True),
    ("session sufficient pam_succeed_if.so service = x\n" + OURS, False),  # a question
    ("session [success=1 default=ignore] pam_succeed_if.so quiet\n" + OURS + UNIX, False),
    ("session optional pam_permit.so\n" + OURS, False),
    ("session optional pam_deny.so\n" + OURS, False),
    (OURS + "session sufficient pam_permit.so\n", False),
    (OURS + "session sufficient pam_permit.so\n" + OURS, False),  # one of the two is reached
    ("auth sufficient pam_permit.so\n" + OURS.replace("session", "auth"), True),
    ("auth requisite pam_deny.so\n" + OURS.replace("session", "auth"), True),
    ("auth required pam_deny.so\n" + OURS.replace("session", "auth"), True),
    (
        "auth sufficient pam_unix.so\nauth required pam_deny.so\n"
        + OURS.replace("session", "auth"),
        True,
    ),
    ("auth sufficient pam_rootok.so\n" + AUTH + OURS.replace("session", "auth"), False),
    (
        "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n"
        "auth required pam_permit.so\n" + OURS.replace("session", "auth"),
        False,
    ),
]


@pytest.mark.parametrize(("text", "expected"), UNREACHED)
@pytest.mark.parametrize("maker", ["pam_pykeyinit.so", "pam_keyinit.so"])
def test_a_line_that_is_never_reached(
    maker: str, text: str, expected: bool, tmp_path: Path
) -> None:
    part = "session sufficient pam_unix.so\n"
    folders = service(tmp_path, sshd=text, part=part, ours=part + OURS)
    for path in tmp_path.iterdir():
        path.write_text(path.read_text().replace("pam_pykeyinit.so", maker))
    found = judged(folders)
    mine = [f for f in found if "sshd" in f.services and f.rule == "unreached"]
    assert [f.rule for f in mine] == ["unreached"] * expected
    assert "without" not in [f.rule for f in found]


@pytest.mark.parametrize("name", ["krb5", "afs_session", "openafs_session", "kafs", "cifscreds"])
def test_keys_that_are_stored_at_setcred(name: str, tmp_path: Path) -> None:
    store = f"auth optional pam_{name}.so\n"
    (found,) = judged(service(tmp_path, sshd=AUTH + store + OURS))
    assert (found.rule, found.line) == ("setcred", 2)
    line = "auth optional pam_pykeyinit.so force revoke"
    assert found.mend == f"sed -i --follow-symlinks -e '1i {line}' {tmp_path}/sshd"
    assert judged(service(tmp_path, sshd=line + "\n" + AUTH + store + OURS)) == []
    kept = OURS.replace("force ", "")
    assert judged(service(tmp_path, sshd=AUTH + store + kept)) == []  # that keyring is kept
    replaced = kept.replace("revoke", "revoke foreign=replace")
    assert rules_of(tmp_path, Facts(), sshd=AUTH + store + replaced) == ["setcred"]
    after = AUTH + store + line + "\n" + OURS
    assert rules_of(tmp_path, Facts(), sshd=after) == ["setcred"]


def test_one_module_at_setcred_and_another_for_the_session(tmp_path: Path) -> None:
    """The keyring of the first is lost, with the keys that were stored in it."""
    for first, second in ((OURS, THEIRS), (THEIRS, OURS), (OURS, SCRIPT.strip() + " force\n")):
        auth = first.replace("session", "auth")
        (found,) = judged(service(tmp_path, sshd=AUTH + auth + second))
        assert (found.rule, found.line) == ("twice", 3)
        assert "pam_pykeyinit." in found.mend
        kept = second.replace(" force", "")
        assert judged(service(tmp_path, sshd=AUTH + auth + kept)) == []
        assert judged(service(tmp_path, sshd=AUTH + auth + first)) == []


def test_keys_that_an_included_file_stores_at_setcred(tmp_path: Path) -> None:
    (found,) = judged(service(tmp_path, sshd="\n@include common\n" + OURS, common=AUTH + KRB5))
    assert (found.rule, Path(found.file).name, found.line) == ("setcred", "common", 2)
    assert "-e '2i auth optional" in found.mend
    assert found.mend.endswith("/sshd")


def test_what_the_auth_part_has_made_is_there_when_the_session_is_opened(tmp_path: Path) -> None:
    auth = OURS.replace("session", "auth")
    store = "session optional pam_mount.so\n"
    assert rules_of(tmp_path, Facts(), sshd=AUTH + store + OURS) == ["late"]
    assert rules_of(tmp_path, Facts(), sshd=AUTH + auth + store + OURS) == []
    unit = Unit("ssh.service", "/x", "private", "", aliases=("sshd.service",))
    for facts in (Facts(units=(unit,)), Facts(units=(unit._replace(name="x.service"),))):
        kept = OURS.replace("force ", "")
        assert rules_of(tmp_path, facts, sshd=AUTH + kept) == ["keyring-mode"]
        assert rules_of(tmp_path, facts, sshd=AUTH + auth + kept) == []
        idle = kept.replace("session", "auth")
        assert rules_of(tmp_path, facts, sshd=AUTH + idle + kept) == ["keyring-mode"]


def test_a_service_that_cannot_be_read_is_not_without(tmp_path: Path) -> None:
    assert rules_of(tmp_path, Facts(), sshd=OURS, cron="optional pam_pykeyinit.so\n") == [
        "unreadable"
    ]


@pytest.mark.parametrize("number", range(200))
def test_several_jumps_lead_where_each_leads(number: int) -> None:
    chance = random.Random(number)
    levels, entries = [0], []
    for _ in range(12):
        levels.append(max(0, levels[-1] + chance.choice((-1, 0, 0, 1))))
    for line, level in enumerate(levels):
        actions = tuple(chance.choice((2, 5, chance.randrange(1, 9))) for _ in range(2))
        entries.append(Entry("/f", line, line, "session", "x", actions, "m", level=level))
    expected, todo = set(), [0]
    while todo:
        at = todo.pop()
        if at < len(entries) and at not in expected:
            expected.add(at)
            todo += [skip(entries, at, action)[0] for action in entries[at].actions]
    assert reachable(entries) == expected


def test_one_cause_is_one_finding(tmp_path: Path) -> None:
    names = ("login", "sshd", "cron", "su-l")
    absent = Facts(absent=frozenset({"pam_pykeyinit.so"}))
    (found,) = judged(service(tmp_path, **{name: OURS for name in names}), absent)
    assert (found.rule, sorted(found.services)) == ("absent", sorted(names))
    (found,) = judged(service(tmp_path, common=OURS, **dict.fromkeys(names, THEIRS + INCLUDED)))
    assert (found.rule, sorted(found.services)) == ("twice", sorted(names))
    assert Path(found.file).name == "common"


INCLUDED = "session include common\n"


def test_a_jump_that_leads_over_a_line_leaves_the_mend_to_the_administrator(
    tmp_path: Path,
) -> None:
    jump = "session [success=2 default=ignore] pam_succeed_if.so quiet\n"
    (found,) = judged(service(tmp_path, sshd=jump + UNIX + THEIRS + OURS))
    assert found.rule == "twice"
    assert found.mend.startswith("by hand: ")
    ours = OURS.replace("optional", "[default=1]")
    found = judged(service(tmp_path, sshd=ours + UNIX * 3 + "session required pam_loginuid.so\n"))[
        -1
    ]
    assert (found.rule, found.mend) == ("early", "by hand: put it after pam_loginuid.so")


def test_what_is_longer_than_any_stack_is_not_read(tmp_path: Path) -> None:
    """Fourteen files that include the next four times are four to the fourteenth."""
    for number in range(14):
        text = f"session include b{number + 1}\n" * 4
        (tmp_path / f"b{number}").write_text(text)
    folders = service(tmp_path, b14=UNIX)
    with pytest.raises(OSError, match="more than 500 lines"):
        stack.read("b0", folders)
    (tmp_path / "comments").write_text("#" * 250_000 + "\n")
    (tmp_path / "big").write_text("session include comments\n" * 3)
    with pytest.raises(OSError, match="512 KiB"):
        stack.read("big", folders)
    (tmp_path / "long").write_text("# a comment\n" * 2000 + OURS)
    assert len(stack.read("long", folders).of("session")) == 1
