"""Every command that is printed as "To mend it" is pasted where it was printed, and mends it.

The last test here fails if a mend has another shape than those below.
"""

import itertools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from helper.conftest import HELPER, UID, Stage
from pykeyinit_helper.inspect import mends
from pykeyinit_helper.inspect.case import Case
from pykeyinit_helper.inspect.keynames import Asked
from support import world

# One worker: the last test needs the results of the others.
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.usefixtures("_no_keys"),
    pytest.mark.xdist_group("mends"),
]


PATH = "PATH=/usr/local/bin:$PATH; export PATH; "
QUIETLY = ">/dev/null 2>&1; "

# The state of the session keyring: how the shell is started, and its commands.
SESSIONS = {
    "linked": (("--session=new",), "none", ""),
    "own": (("--session=new", "--link=none"), "none", ""),
    "own, linked, not writable": (("--session=new",), "none", "keyctl setperm @s 0x3b000000; "),
    "own, not writable": (
        ("--session=new", "--link=none"), "none", "keyctl setperm @s 0x3b000000; ",
    ),
    "none": (("--session=user-session",), "none", ""),
    "none, and @u unlinked": (
        ("--session=user-session",), "none", "keyctl unlink @u @us; ",
    ),
    "another's": (("--session=keep",), "own root", ""),
    "revoked": (("--session=new", "--link=none"), "none", "keyctl revoke @s; "),
    "revoked, quota used up": (("--session=keep",), f"revoked root fill {UID}", ""),
}  # fmt: skip

ADD = "k=$(keyctl add user colour blue {}); "
SLEEPER = (
    "keyctl session - sh -c 'k=$(keyctl add user colour blue @s); keyctl setperm $k 0x3f110000;"
    ' exec sleep 60\' >/dev/null 2>&1 & sleeper=$!; cleanup="$cleanup; kill $sleeper";'
    " until keyctl describe %user:colour; do sleep 0.05; done; "
)
PERSISTENT = (
    # Leave that session again; it lasts until the kernel has destroyed it.
    "keyctl session - sh -c 'p=$(keyctl get_persistent @s); keyctl add user colour blue $p;"
    " keyctl unlink $p @s'; "
    "cleanup=\"$cleanup; keyctl session - sh -c 'keyctl clear \\$(keyctl get_persistent @s)'\"; "
)
CHAIN = (
    "r={}; for n in {}; do r=$(keyctl newring c$n $r); keyctl setperm $r 0x3f3f0000; done;"
    "k=$(keyctl add user colour blue $r); keyctl setperm $k 0x3f3f0000; "
)
IN_US = ADD.format("@us") + 'cleanup="$cleanup; keyctl unlink $k @us"; '
SEARCHLESS = ADD.format("@s") + "keyctl setperm $k {}; "

MUTE = "keyctl setperm $k 0x37010000; "
LOST = f"keyctl link $k @u; {MUTE}"


class Paste(NamedTuple):
    """A situation; `before` and `after` change the session keyring around it."""

    maker: str
    session: str
    before: str
    after: str = ""
    asked: str = "user:colour"


PASTES = [
    *(Paste("link-user", session, ADD.format("@u")) for session in SESSIONS
      if session in ("own", "own, not writable", "none, and @u unlinked", "another's", "revoked")),
    Paste("link-user", "revoked, quota used up", "", asked="user:fill0"),
    Paste("link-user", "own", ADD.format("@u"), asked="$k"),
    Paste("link-user", "own", "keyctl newring box @u; ", asked="keyring:box"),
    *(Paste("link-user-session", session, IN_US)
      for session in ("own", "own, not writable", "another's", "revoked")),
    *(Paste("get-persistent", session, PERSISTENT)
      for session in ("own", "own, not writable", "none", "another's", "revoked")),
    *(Paste("link-key", session, "", SLEEPER)
      for session in ("own", "own, linked, not writable", "own, not writable", "none",
                      "another's", "revoked")),
    Paste("link-deep-keyring", "own", CHAIN.format("@s", "1 2 3 4 5 6 7")),
    Paste("link-deep-keyring", "own, not writable", CHAIN.format("@s", "1 2 3 4 5 6 7")),
    Paste("link-deep-keyring", "own, linked, not writable", CHAIN.format("@s", "1 2 3 4 5 6 7")),
    Paste("link-deep-keyring", "none", CHAIN.format("@us", "1 2 3 4 5 6 7")
          + 'cleanup="$cleanup; keyctl unlink %keyring:c1 @us"; '),
    Paste("let-search", "own", SEARCHLESS.format("0x37370000")),
    Paste("let-search", "own", "r=$(keyctl newring r @s); " + ADD.format("$r")
          + "keyctl setperm $k 0x37370000; keyctl setperm $r 0x37370000; "),
    Paste("let-search", "own", "r=$(keyctl newring r @s); " + ADD.format("$r")
          + "keyctl setperm $r 0x37370000; "),
    *(Paste("add", session, "") for session in SESSIONS if session != "revoked, quota used up"),
    *(Paste("add", session, "", asked="keyring:my box")
      for session in SESSIONS if session != "revoked, quota used up"),
    *(Paste("add", "linked", "", asked=asked) for asked in (
        "logon:svc:colour", "user:-x", "user:a b", "user:it's", "user:zback\\slash",
        "user:$HOME`id`;|&", "user:\N{LATIN SMALL LETTER U WITH DIAERESIS}%s%%",
        "user:\t\x1b[31m\n%d-", "user:ends\n", "user:\udcff\udcfe", "user:" + "y" * 4095,
        "%user:other", "user:@u",
    )),
    Paste("add", "linked", ADD.format("@s") + "keyctl revoke $k; "),
    Paste("add", "linked", ADD.format("@u") + "keyctl timeout $k 1; sleep 1.2; "),
    Paste("replace", "own", SEARCHLESS.format("0x37010000")),
    Paste("replace", "linked",
          ADD.format("@s") + LOST),
    Paste("replace", "own", ADD.format("@s") + LOST),
    Paste("replace", "none, and @u unlinked", ADD.format("@us") + MUTE),
    Paste("replace", "none, and @u unlinked",
          ADD.format("@us") + LOST),
    Paste("replace", "linked", "keyctl request2 user colour callout @s; "),
    Paste("replace", "linked", "r=$(keyctl newring r @u); "
          "keyctl request2 user colour callout $r; "),
    *(Paste("new-session", session, "", asked="@s")
      for session in ("revoked", "revoked, quota used up")),
]  # fmt: skip

seen: set[tuple[str, str]] = set()


def shape(command: str) -> str:
    """A command without the numbers, names and folders of one case."""
    for pattern, word in (
        (r"unlink \S+ \S+", "unlink N RING"), (r"0x[0-9a-f]{8}", "MASK"),
        (r"(?<= )\d{3,10}(?= )", "N"), (r"-- \S+", "-- SHELL"),
        (r"(add user|add logon) .* DATA", "add KEY DATA"), (r"newring .* @", "newring KEY @"),
    ):  # fmt: skip
        command = re.sub(pattern, word, command, flags=re.DOTALL)
    return command


def pasted(stage: Stage, paste: Paste, tmp: str, command: str = "explain") -> tuple[str, str]:
    """The output of `explain` in that situation, and again after its mend was pasted there.

    A shell that the mend starts reads the question from standard input.
    """
    options, first, session = SESSIONS[paste.session]
    asked = paste.asked if "$k" in paste.asked or not paste.asked else mends.word(paste.asked)
    ask = f"{HELPER} {command} {asked}"
    shell = "bash" if paste.asked.endswith("\n") else "sh"  # dash has no $'...'
    script = (
        f"{PATH}cleanup=:; exec 3>&1; {{ : ; {paste.before}{session}{paste.after}}} {QUIETLY}"
        f"{ask} >{tmp}; export k; mend=$(sed -n '/^To mend it: /,$p' {tmp} | sed '/^  (DATA/d;"
        f's/^To mend it: //\'); eval "$mend" >/dev/null; '
        f'case $mend in *" run "*) ;; *) {ask}; echo "status $?" ;; esac; '
        f'eval "$cleanup" {QUIETLY}true'
    )
    started = stage.start(
        first, HELPER, "run", "--quiet", f"--user={UID}:{UID}", *options, shell, "-c", script,
        input=f"{ask} >&3; echo status $? >&3\n".encode("utf-8", "surrogateescape"),
    )  # fmt: skip
    before = Path(tmp).read_text(encoding="utf-8", errors="surrogateescape")
    assert "Traceback" not in started.errors, started.errors
    return before, started.output


@pytest.mark.parametrize("paste", PASTES, ids=lambda paste: "-".join(paste[:2]))
def test_a_mend_is_pasted_and_mends(stage: Stage, paste: Paste, shared: str) -> None:
    before, after = pasted(stage, paste, shared)
    assert "cannot be used by this process" in before
    found = re.search(r"^To mend it: (.*?)(\n  \(DATA.*)?\n\Z", before, re.M | re.S)
    assert found, before
    seen.add((paste.maker, shape(found[1])))
    assert after.endswith("status 0\n"), (before, after)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", before)


SHOWN = ("own", "own, not writable", "none, and @u unlinked", "another's", "revoked")


@pytest.mark.parametrize("session", SHOWN)
def test_what_show_prints_is_pasted_and_mends(stage: Stage, session: str, shared: str) -> None:
    paste = Paste("link-user", session, ADD.format("@u"), asked="")
    before, after = pasted(stage, paste, shared, command="show")
    assert "Missing: @u" in before
    assert before.splitlines()[-1].startswith("To mend it: ")
    assert "Missing: @u" not in after
    assert "user: colour" in after


@pytest.mark.parametrize("session", ["revoked", "revoked, quota used up"])
def test_what_show_prints_of_one_keyring(stage: Stage, session: str, shared: str) -> None:
    paste = Paste("new-session", session, "", asked="@s")
    before, after = pasted(stage, paste, shared, command="show")
    assert "revoked; nothing is found in it" in before
    assert after.endswith("status 0\n")


THERE = (
    "keyctl session - sh -c 'keyctl add user colour blue @s; for i in $(seq 200); do"
    " [ -s {0}.go ] && break; sleep 0.05; done; . {0}.go; echo done >{0}.done; exec sleep 60'"
    " >{0}.key 2>/dev/null & sleeper=$!;"
    " until [ -s {0}.key ]; do sleep 0.05; done; k=$(cat {0}.key); "
)


@pytest.mark.parametrize("asked", ["user:colour", "$k"])
def test_what_is_to_be_pasted_where_the_key_is(stage: Stage, asked: str) -> None:
    """Only a process of another session possesses the key; the printed command runs there."""
    folder = world.folder()
    assert folder
    file = folder / "home" / f"there-{len(asked)}"
    file.mkdir()
    file.chmod(0o777)
    where = file / "it"
    ask = f"{HELPER} explain {asked}"
    script = (
        f"{PATH}{THERE.format(where)}{ask} | tee {where}.said;"
        f"sed -n 's/^In a process of that session: //p' {where}.said >{where}.go;"
        f"for i in $(seq 200); do [ -s {where}.done ] && break; sleep 0.05; done;"
        f"{ask}; echo status $?; kill $sleeper"
    )
    options, first, _ = SESSIONS["linked"]
    started = stage.start(
        first, HELPER, "run", "--quiet", f"--user={UID}:{UID}", *options, "sh", "-c", script
    )
    before, _, after = started.output.partition("In a process of that session: ")
    assert "To mend it" not in started.output
    assert "another login or process" in " ".join(before.split())
    command = after.splitlines()[0]
    seen.add(("link-from-there", shape(f"{command} ").strip()))
    assert re.fullmatch(r"keyctl link \d+ @u", command)
    assert after.endswith("status 0\n"), started.output


def possible() -> set[tuple[str, str]]:
    """The shapes of all mends that the makers can create."""
    sessions = ("own", "stand-in", "outer", "foreign", "unknown", "none", "EKEYREVOKED")
    yes_or_no = (True, False)
    made = set()
    for state, writable, linked, fit, kind, rings in itertools.product(
        sessions, yes_or_no, yes_or_no, yes_or_no, ("user", "keyring"), (("@s",), ("@s", "@u"))
    ):
        case = Case(
            Asked("", kind=kind, description="colour"), "me", session=state,
            session_writable=writable, user_found=linked, can_adopt=fit, serial=12345, deep=12345,
            blockers=((12345, 0),), holders=rings, shell="/bin/sh",
        )  # fmt: skip
        for name, maker in mends.MAKERS.items():
            if mend := maker(case):
                assert mend.name == name
                made.add((name, shape(mend.command)))
    return made


def test_every_mend_that_there_can_be_was_pasted() -> None:
    """Needs the results of the tests above; shapes that cannot occur are listed here."""
    if len(seen) < len(mends.MAKERS):
        pytest.skip("the tests above have not been run")
    unheard = {
        # @us is not outside itself, and a deep key is in a live keyring of the user.
        ("link-user-session", "keyctl link @us @us"),
    }
    assert possible() - seen - unheard == set()


COMMAND = r"keyctl (link|add|setperm|unlink|newring|get_)|helper (run|adopt)"


def test_no_command_is_worded_elsewhere() -> None:
    folder = Path(mends.__file__).parent
    files = {*folder.glob("*.py"), folder.parent / "run/adopt.py"} - {Path(mends.__file__)}
    assert len(files) > 10
    for file in files:
        source = re.sub(r'"""[\s\S]*?"""', "", file.read_text())
        assert not re.search(COMMAND, source), file.name
