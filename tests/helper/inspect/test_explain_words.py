"""The texts, names and folding of `explain`, without the kernel."""

import shlex
import subprocess

import pytest

from pam_pykeyinit.kernel.listing import Row
from pykeyinit_helper import output
from pykeyinit_helper.inspect import keynames, keytypes, mends, whereabouts
from pykeyinit_helper.inspect.case import Case, Finding
from pykeyinit_helper.inspect.diagnosis import diagnose
from pykeyinit_helper.inspect.keynames import Asked

COLUMNS = "00000001 I--Q--- 1 perm 3f010000 1000 1000 ...".split()
COLOUR = Asked("user:colour", kind="user", description="colour")


def _codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("word", "asked"),
    [
        ("user:a:b", Asked("user:a:b", kind="user", description="a:b")),
        ("%user:a", Asked("%user:a", kind="user", description="a")),
        ("%:a", Asked("%:a", kind="keyring", description="a")),
        ("@us", Asked("@us", anchor="@us")),
        ("12", Asked("12", serial=12)),
        ("0x1F", Asked("0x1F", serial=31)),
        ("2147483647", Asked("2147483647", serial=2**31 - 1)),
        ("0x7fffffff", Asked("0x7fffffff", serial=2**31 - 1)),
        *((word, None) for word in (
            "", "0", "-1", "0x", "0x0", "x1", "2147483648", "0x80000000", "1_0", "\u0661",
            "9" * 5000, "@g", "@", "user", "user:", ":colour", "%user:", "0xfg",
        )),
    ],
)  # fmt: skip
def test_what_is_asked_for(word: str, asked: Asked | None) -> None:
    assert keynames.parse(word) == asked


@pytest.mark.parametrize(
    ("row", "asked", "is_it"),
    [
        ("colour: 4", "user:colour", True),
        ("colour", "user:colour", True),
        ("colour: y: 4", "user:colour", False),
        ("colour: y", "user:colour", False),
        ("colour: 5: 1", "user:colour: 5", True),
        ("line", "user:line\nend", True),
        ("box: empty", "keyring:box", True),
        ("box: 12", "keyring:box", True),
        ("box: full", "keyring:box", False),
        ("x: keyid=12", "asymmetric:x", True),
        ("xy: keyid=12", "asymmetric:x", False),
    ],
)
def test_a_row_of_proc_keys_may_be_of_that_key(row: str, asked: str, is_it: bool) -> None:
    wanted = keynames.parse(asked)
    assert wanted
    reported = Row(COLUMNS, wanted.kind[:9], row)
    assert whereabouts.could_be(reported, wanted) == is_it
    assert not whereabouts.could_be(Row(COLUMNS, "other", row), wanted)


@pytest.mark.parametrize("end", ["", "\t", "\x1b[31m", "\udcff", "\u202e"])
@pytest.mark.parametrize("text", ["a", "it's", "a b", "back\\slash", "$x`y`", "-x", "%s%d", '"'])
def test_a_word_for_a_shell(text: str, end: str) -> None:
    word = mends.word(text + end)
    assert word.isprintable()
    said = subprocess.run(["sh", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert said.stdout == (text + end).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("columns", range(20, 60))
def test_folded_lines_fit_and_lose_no_word(columns: int) -> None:
    text = (
        "  some words, and one that is "
        + "l" * 45
        + " long \x1b[31mand coloured\x1b[m \u6f22\u5b57 end"
    )
    lines = output.fold(text, columns, 4)
    assert all(output._columns(line) <= columns for line in lines)
    joined = "".join("".join(line.split()) for line in lines)
    assert joined == "".join(text.split())
    assert output.fold(text, 0, 4) == [text]


@pytest.mark.parametrize("columns", range(20, 120, 7))
def test_a_folded_command_is_the_same_command(columns: int) -> None:
    command = "keyctl add user 'two  words' DATA @u && pykeyinit-helper run -- /bin/sh"
    folded = output.fold_command(command, columns, 12)
    assert shlex.split(folded.replace("\\\n", "")) == shlex.split(command)
    first, *more = folded.split("\n")
    assert len(first) + 12 <= max(columns, 30)
    assert all(len(line) <= max(columns, 22) for line in more)


@pytest.mark.parametrize("state", ["expired", "revoked"])
def test_a_dead_key_is_made_again_where_it_has_a_name(state: str) -> None:
    case = Case(COLOUR, "alice", error="ENOKEY", serial=7, state=state)
    (dead,) = (finding for finding in diagnose(case) if finding.code == f"key-{state}")
    assert dead.mend
    assert dead.mend.command == "keyctl add user colour DATA @u"
    by_number = case._replace(asked=Asked("7", serial=7))
    assert all(finding.mend is None for finding in diagnose(by_number))


@pytest.mark.parametrize("session", ["own", "stand-in", "foreign", "unknown", "EKEYREVOKED"])
def test_what_is_well_has_no_mend(session: str) -> None:
    full = (200, 200, 20_000, 20_000)
    case = Case(COLOUR, "alice", session=session, quota=full, serial=7, path=("@s",))
    findings = diagnose(case)
    assert {"found", "quota"} <= _codes(findings)
    assert not any(finding.mend or finding.administrator for finding in findings)


@pytest.mark.parametrize(
    ("quota", "room"),
    [
        (None, True),
        ((199, 200, 0, 20_000), True),
        ((200, 200, 0, 20_000), False),
        ((1, 200, 19_990, 20_000), False),
    ],
)
def test_what_does_not_fit_is_not_added(
    quota: tuple[int, int, int, int] | None, room: bool
) -> None:
    case = Case(COLOUR, "alice", error="ENOKEY", quota=quota)
    assert case.has_room() == room
    findings = diagnose(case)
    assert any(finding.mend for finding in findings) == room
    assert any(finding.administrator for finding in findings) != room


def test_nothing_is_put_into_a_session_keyring_of_anothers() -> None:
    """It would belong to the other user."""
    case = Case(COLOUR, "bob", error="ENOKEY", session="foreign", serial=7, deep=8)
    for linked in (True, False):
        for maker in mends.MAKERS.values():
            mend = maker(case._replace(user_found=linked, holders=("@s",)))
            assert mend is None or " @s" not in mend.command


def test_types_are_known_by_where_they_come_from() -> None:
    assert keytypes.similar("usr") == "user"
    assert keytypes.similar("zzz") == ""
    assert keytypes.source("user", "x") == ""
    assert keytypes.source("cifs.spnego", "x").endswith("/etc/request-key.d")
    assert keytypes.is_requested("dns_resolver")
    assert not keytypes.is_requested("encrypted")
    assert keytypes.fault("logon", ":x")
    assert not keytypes.fault("logon", "s:x")
    assert keytypes.fault("user", "\u00e4" * 2048)
    assert not keytypes.fault("user", "\u00e4" * 2047)
