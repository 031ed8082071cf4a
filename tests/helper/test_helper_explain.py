"""`explain`: every sentence of it has a case that produces it, on prepared keyrings."""

import re
from pathlib import Path

import pytest

from helper.conftest import HELPER, UID, Stage, output
from pykeyinit_helper import diagnosis

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]


# Every sentence of `explain`: its code, the stage, the script, the status, words of it.
NEW, BARE = ("--session=new",), ("--session=new", "--link=none")
ADD = "k=$(keyctl add user colour blue {}); "
ASK = f"{HELPER} explain user:colour"
CASES = {
    "found": (NEW, ADD.format("@u") + ASK, 0, f"possesses it: @s > _uid.{UID} > key"),
    "readable": (NEW, ADD.format("@s") + f"{HELPER} explain $k", 0, "It can be read."),
    "session-stand-in": (
        ("--session=user-session",),
        ADD.format("@u") + ASK,
        0,
        "(@us) stands in",
    ),
    "user-not-linked": (BARE, ADD.format("@u") + ASK, 1, "To mend it: keyctl link @u @s"),
    "not-readable": (BARE, ADD.format("@u") + ASK, 1, "It cannot be read"),
    "user-session-not-linked": (
        BARE,
        ADD.format("@us") + ASK + "; keyctl unlink $k @us >&2",
        None,
        "To mend it: keyctl link @us @s",
    ),
    "session-dead": (
        NEW,
        ADD.format("@u") + "keyctl revoke @s; " + ASK,
        1,
        "To mend it: pykeyinit-helper adopt",
    ),
    "session-dead-expired": (
        NEW,
        "keyctl timeout @s 1; sleep 1.3; " + ASK,
        1,
        "The session keyring (@s) has expired: nothing is found through it",
    ),
    "behind-session": (
        NEW,
        ADD.format("@u") + "keyctl revoke @s; " + ASK,
        1,
        "it is in the user keyring (@u), behind",
    ),
    "no-such-key": (
        NEW,
        f"{HELPER} explain user:never-made",
        1,
        "To mend it: keyctl add user never-made DATA @u",
    ),
    "no-such-keyring": (
        NEW,
        f"{HELPER} explain 'keyring:my own'",
        1,
        "To mend it: keyctl newring 'my own' @u",
    ),
    "no-such-serial": (NEW, f"{HELPER} explain 1", 1, "There is no key 1"),
    "key-revoked": (NEW, ADD.format("@s") + f"keyctl revoke $k; {ASK}", 1, "EKEYREVOKED"),
    "key-expired": (
        NEW,
        ADD.format("@s") + f"keyctl timeout $k 1; sleep 1.3; {ASK}",
        1,
        "EKEYEXPIRED",
    ),
    "key-negative": (
        NEW,
        f"keyctl request2 user colour callout @s; {ASK}",
        1,
        "The key is negative",
    ),
    "no-search": (
        NEW,
        ADD.format("@s") + f"keyctl setperm $k 0x37010000; {ASK}",
        1,
        "for it on the way gives no search",
    ),
    "elsewhere": (
        NEW,
        ADD.format("@s")
        + "keyctl setperm $k 0x3f110000; "
        + f'{HELPER} run --session=new sh -c "echo; {HELPER} explain $k"',
        1,
        "To mend it: keyctl link",
    ),
    "hidden": (
        NEW,
        ADD.format("@s")
        + "keyctl setperm $k 0x3f000000; "
        + f"{HELPER} run --session=new {HELPER} explain $k",
        1,
        "do not let this process even look at it",
    ),
    "permissions": (NEW, ADD.format("@s") + ASK, 0, "as possessor alswrv, as user -----v"),
}


@pytest.mark.parametrize("code", sorted(CASES))
def test_every_sentence_on_the_kernel(stage: Stage, code: str) -> None:
    options, script, status, said = CASES[code]
    printed = output(stage, script, *options, code=status)
    assert said in " ".join(printed.split()), printed


def test_a_foreign_session_keyring(stage: Stage) -> None:
    printed = output(stage, ADD.format("@u") + ASK, "--session=keep", first="own root", code=1)
    assert "belongs to root" in printed
    assert "To mend it: exec pykeyinit-helper run -- $SHELL" in printed


def test_a_used_up_quota(stage: Stage) -> None:
    printed = output(stage, ASK, "--session=user-session", first=f"none fill {UID}", code=1)
    assert f"The quota of {UID} is used up" in " ".join(printed.split())
    assert re.search(r"To mend it: as root: sysctl kernel\.keys\.max(bytes|keys)=\d+ ", printed)


def test_every_sentence_has_a_case() -> None:
    source = Path(diagnosis.__file__).read_text()
    codes = set(re.findall(r'Finding\(\s*f?"([a-z-]+[a-z])-?', source))
    elsewhere = {"session-foreign", "refused", "quota"}  # the two tests above, and the next
    assert codes == set(CASES) - {"session-dead-expired"} | elsewhere


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES"])
def test_keyctl_refused_as_in_a_container(stage: Stage, error: str) -> None:
    started = stage.start(f"none deny {error} any", HELPER, "explain", "user:colour")
    assert started.code == 1
    assert "seccomp" in started.output
    assert "To mend it: in the container's seccomp profile" in started.output
    shown = stage.start(f"none deny {error} any", HELPER, "show")
    assert shown.code == 0
    assert "keyctl(2) is" in shown.output


@pytest.mark.parametrize("word", ["", "colour", ":colour", "user:", "0", "-3"])
def test_what_is_no_key(stage: Stage, word: str) -> None:
    started = stage.start("none", HELPER, "explain", word)
    assert (started.code, started.errors.count("\n"), started.output) == (125, 1, "")
