"""`show` and `explain` on prepared keyrings: golden outputs, serial numbers normalised."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import HELPER, PYTHON, Stage
from pykeyinit_helper import diagnosis

pytestmark = pytest.mark.privileged

# A uid of these tests alone: other users' keyrings are used elsewhere at the same time.
UID = "61991"
AS = (HELPER, "run", "--quiet", f"--user={UID}:{UID}")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    subprocess.run([*AS, "keyctl", "clear", "@u"], check=True)
    yield
    subprocess.run([*AS, "keyctl", "clear", "@u"], check=True)


def output(
    stage: Stage, script: str, *options: str, first: str = "none", code: int | None = None
) -> str:
    """What a shell script says, that runs with the helper's preparation."""
    started = stage.start(first, *AS, *options, "sh", "-c", script)
    assert "Traceback" not in started.errors
    if code is not None:
        assert started.code == code, (started.output, started.errors)
    return started.output


def normalised(text: str) -> str:
    """Serial numbers become A, B, C in the order of their coming; the quota goes."""
    names: dict[str, str] = {}

    def name(match: "re.Match[str]") -> str:
        letter = names.setdefault(match[0].strip(), chr(ord("A") + len(names)))
        return letter.rjust(len(match[0]))

    text = re.sub(r"Quota of .*\n", "", text)
    return re.sub(r"(?m)^ *\d{5,10}(?= )", name, text)


SHOWN = f"""\
    SERIAL OWNER    POSSESS USER   GROUP  OTHER  EXPIRES   KEY
@t  thread keyring: none; the kernel makes it when something is put into it
@p  process keyring: none; the kernel makes it when something is put into it
@s  session keyring
         A {UID}    alswrv  ----rv ------ ------ never   * keyring: _ses
         B {UID}    -lswrv  alswrv ------ ------ never   * \\_ keyring: _uid.{UID}
         C {UID}    alswrv  -----v ------ ------ never   *    \\_ user: colour
@u  user keyring
         B {UID}    -lswrv  alswrv ------ ------ never   * keyring: _uid.{UID} (see above)
@us user-session keyring
         D {UID}    -lswrv  alswrv ------ ------ never     keyring: _uid_ses.{UID}
         B {UID}    -lswrv  alswrv ------ ------ never   * \\_ keyring: _uid.{UID} (see above)
* possessed: request_key(2) of this process finds it
"""

SHOWN_DEAD = """\
    SERIAL OWNER    POSSESS USER   GROUP  OTHER  EXPIRES   KEY
@s  session keyring: revoked; nothing is found in it (pykeyinit-helper adopt)
"""


def test_show(stage: Stage) -> None:
    script = f"keyctl add user colour blue @u >/dev/null; {HELPER} show"
    assert normalised(output(stage, script, "--session=new")) == SHOWN


def test_show_what_is_missing(stage: Stage) -> None:
    shown = output(stage, f"{HELPER} show", "--session=new", "--link=none")
    assert "Missing: @u is not found through @s (keyctl link @u @s)\n" in shown
    assert normalised(output(stage, f"keyctl revoke @s; {HELPER} show @s", "--session=new")) == (
        SHOWN_DEAD
    )
    stand_in = output(stage, f"{HELPER} show @s")
    assert "none of its own, the user-session keyring stands in" in stand_in


def test_show_of_keyrings_that_are_not_there(stage: Stage) -> None:
    assert "none; the kernel makes it" in output(stage, f"{HELPER} show @t", code=1)
    assert "gone" in output(stage, f"{HELPER} show 1", code=1)
    for word in ("@x", "-5", "99999999999", "1e3"):
        output(stage, f"{HELPER} show {word}", code=125)


def test_expiry_and_strange_names(stage: Stage) -> None:
    script = (
        "keyctl timeout $(printf x | keyctl padd user 'a b;c:\\e[31m' @s) 100;"
        f"printf x | keyctl padd user \"$(printf '\\377')\" @s >/dev/null; {HELPER} show @s"
    )
    shown = output(stage, script, "--session=new")
    assert "1m" in shown
    assert "\x1b" not in shown
    assert "user: \\udcff" in shown


def test_json(stage: Stage) -> None:
    script = f"keyctl add user colour blue @u >/dev/null; {HELPER} show --json"
    read = json.loads(output(stage, script, "--session=new"))
    assert list(read) == [
        "schema", "uid", "user", "keyrings", "user_session_stands_in", "keys", "quota",
    ]  # fmt: skip
    assert (read["schema"], read["uid"], read["user"]) == (1, int(UID), UID)
    assert read["user_session_stands_in"] is False
    assert read["keyrings"]["thread"] == {
        "serial": None, "error": "ENOKEY", "created_on_demand": True,
    }  # fmt: skip
    session, user = (read["keyrings"][name]["serial"] for name in ("session", "user"))
    keys = {key["serial"]: key for key in read["keys"]}
    assert keys[session]["links"] == [user]
    (colour,) = keys[user]["links"]
    assert keys[colour] == {
        "serial": colour, "error": None, "type": "user", "description": "colour",
        "uid": int(UID), "owner": UID, "gid": int(UID),
        "permissions": {"possessor": "alswrv", "user": "-----v",
                        "group": "------", "other": "------"},
        "expires": "never", "possessed": True, "path": [session, user, colour], "links": [],
    }  # fmt: skip
    assert list(read["quota"]) == ["keys_used", "keys_allowed", "bytes_used", "bytes_allowed"]


def test_keyrings_that_share_what_they_hold(stage: Stage) -> None:
    """Each is printed once with its content: otherwise 2 to the power of 20 lines."""
    grow = (
        "import keyutils\n"
        "last = keyutils.add_key(b'k0', None, -3, b'keyring')\n"
        "for level in range(1, 21):\n"
        "    both = [keyutils.add_key(b'%d.%d' % (level, n), None, -3, b'keyring')\n"
        "            for n in range(2)]\n"
        "    [keyutils.link(last, ring) for ring in both]\n"
        "    last = both[0]\n"
        "    if level > 5: break\n"
    )
    script = f'/usr/bin/python3 -I -c "{grow}"; {HELPER} show @s'
    shown = output(stage, script, "--session=new", code=0)
    assert "(see above)" in shown
    assert len(shown.splitlines()) < 100


def test_a_pipe_that_is_closed_early(stage: Stage) -> None:
    script = f"{HELPER} show | head -n 1"
    started = stage.start("none", "sh", "-c", script)
    assert (started.code, started.errors) == (0, "")
    full = stage.start("none", "sh", "-c", f"{HELPER} show >/dev/full")
    assert (full.code, full.errors.count("\n")) == (125, 1)
    closed = stage.start("none", "sh", "-c", f"{HELPER} show >&-")
    assert (closed.code, closed.errors.count("\n")) == (125, 1)


# Every sentence of `explain`: its code, the stage, the script, the status, words of it.
NEW, BARE = ("--session=new",), ("--session=new", "--link=none")
ADD = "k=$(keyctl add user colour blue {}); "
ASK = f"{HELPER} explain user:colour"
CASES = {
    "found": (NEW, ADD.format("@u") + ASK, 0, f"possesses it: @s > _uid.{UID} > key"),
    "readable": (NEW, ADD.format("@s") + f"{HELPER} explain $k", 0, "It can be read."),
    "session-stand-in": ((), ADD.format("@u") + ASK, 0, "(@us) stands in"),
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


def test_every_sentence_has_a_case() -> None:
    source = Path(diagnosis.__file__).read_text()
    codes = set(re.findall(r'Finding\(\s*f?"([a-z-]+[a-z])-?', source))
    elsewhere = {"session-foreign", "refused", "quota"}  # the two tests above, and the next
    assert codes == set(CASES) | elsewhere


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
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


def test_help_and_version(stage: Stage) -> None:
    for words in (
        ["--help"],
        *([name, "--help"] for name in "run show explain adopt try".split()),
    ):
        started = stage.start("none", HELPER, *words)
        assert (started.code, started.errors) == (0, "")
        assert "usage: pykeyinit-helper" in started.output
    assert re.fullmatch(
        r"pykeyinit-helper \d+\.\d+\.\d+\n", stage.start("none", HELPER, "--version").output
    )
    for words in ([], ["nonsense"], ["show", "--nonsense"], ["--nonsense"]):
        started = stage.start("none", HELPER, *words)
        assert (started.code, started.errors.count("\n")) == (125, 1)


def test_adopt_mends_a_shell(stage: Stage) -> None:
    script = (
        f"keyctl revoke @s; {ASK}; {HELPER} adopt; keyctl add user colour blue @u >/dev/null;"
        f"{ASK}; {HELPER} adopt"
    )
    printed = output(stage, script, "--session=new", code=0)
    assert "has the new session keyring" in printed
    assert "user:colour can be used" in printed
    assert "Nothing to do: the session keyring" in printed


@pytest.mark.parametrize(
    ("first", "script", "condition"),
    [
        ("own root", f"{HELPER} adopt", "to be replaced, belongs to uid 0"),
        (
            "revoked alice",
            f'{PYTHON[0]} -c "import subprocess, threading, time\n'
            "threading.Thread(target=time.sleep, args=(1,)).start()\n"
            f"subprocess.run(['{HELPER}', 'adopt'])\"",
            "has 2 threads, and must have 1",
        ),
    ],
)
def test_adopt_says_which_condition_failed(
    stage: Stage, first: str, script: str, condition: str
) -> None:
    assert condition in output(stage, script + "; :", "--session=keep", first=first)
