"""`explain`: a case for each of its sentences, on prepared keyrings."""

import json
import re
from pathlib import Path

import pytest

from helper.conftest import HELPER, UID, Stage, output
from pykeyinit_helper.inspect import circumstances, diagnosis, reasons
from support import world

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]


# Every sentence of `explain`: its code, how the shell is started, its script, the key to explain,
# the status, and words of the output.
NEW, BARE = ("--session=new",), ("--session=new", "--link=none")
ADD = "k=$(keyctl add user colour blue {}); "
CHAIN = (
    "r=@s; for n in 1 2 3 4 5 6 7; do r=$(keyctl newring c$n $r); keyctl setperm $r 0x3f3f0000;"
    " done >/dev/null; k=$(keyctl add user colour blue $r); keyctl setperm $k 0x3f3f0000; "
)
LIST = "k=$(keyctl rlist @s | tr ' ' '\\n' | tail -1); "
AWAY = f"{HELPER} run --session=new --quiet "
COLOUR, NEVER = "user:colour", "user:never-made"
CASES = {
    "found": (NEW, ADD.format("@u"), COLOUR, 0, f"possesses it: @s > _uid.{UID} > key"),
    "readable": (NEW, ADD.format("@s"), "$k", 0, "It can be read."),
    "by-number": (
        NEW, ADD.format("@s") + "keyctl setperm $k 0x3f030000; " + AWAY, "$k", 0,
        "does not find it, but its number is enough",
    ),
    "no-reading": (
        NEW, "keyctl add logon svc:colour blue @s >/dev/null; ", "logon:svc:colour", 0,
        "keys of type logon are for the kernel's use",
    ),
    "permissions": (NEW, ADD.format("@s"), COLOUR, 0, "as possessor alswrv, as user -----v"),
    "not-readable": (BARE, ADD.format("@u"), COLOUR, 1, "It cannot be read"),
    "session-stand-in": (
        ("--session=user-session",), ADD.format("@u"), COLOUR, 0, "(@us) stands in",
    ),
    "session-dead": (
        NEW, "keyctl revoke @s; ", "@s", 1, "To mend it: pykeyinit-helper adopt",
    ),
    "session-unknown": (NEW, "keyctl setperm @s 0x38000000; ", "@s", 0, "gives no view"),
    "behind-session": (
        NEW, ADD.format("@u") + "keyctl revoke @s; ", COLOUR, 1,
        "it is in the user keyring (@u), which is not reached",
    ),
    "user-not-linked": (BARE, ADD.format("@u"), COLOUR, 1, "To mend it: keyctl link @u @s"),
    "user-session-not-linked": (
        BARE, ADD.format("@us") + "keyctl timeout $k 9; ", COLOUR, 1,
        "To mend it: keyctl link @us @s",
    ),
    "persistent-not-linked": (
        BARE,
        "p=$(keyctl get_persistent @s); k=$(keyctl add user colour blue $p);"
        "keyctl timeout $k 9; keyctl unlink $p @s; ",
        COLOUR, 1, "To mend it: keyctl get_persistent @s",
    ),
    "no-such-key": (
        NEW, "", NEVER, 1, "To mend it: keyctl add user never-made DATA @u (DATA stands",
    ),
    "no-such-keyring": (
        NEW, "", "'keyring:my own'", 1, "To mend it: keyctl newring 'my own' @u",
    ),
    "no-such-serial": (NEW, "", "1", 1, "There is no key 1"),
    "no-such-anchor": (NEW, "", "@t", 1, "There is no thread keyring"),
    "no-such-name": (NEW, "", "logon:nocolon", 1, "are named SERVICE:NAME"),
    "no-such-type": (NEW, "", "usr:mail", 1, 'Was "user" meant?'),
    "dark-keyring": (
        NEW, "r=$(keyctl newring dark @s); keyctl setperm $r 0x35010000; ", NEVER, 1, "dark",
    ),
    "key-revoked": (NEW, ADD.format("@s") + "keyctl revoke $k; ", COLOUR, 1, "EKEYREVOKED"),
    "key-expired": (
        NEW, ADD.format("@s") + "keyctl timeout $k 1; sleep 1.3; ", COLOUR, 1, "EKEYEXPIRED",
    ),
    "key-negative": (
        NEW, "keyctl request2 user colour callout @s; ", COLOUR, 1, "The key is negative",
    ),
    "no-search": (
        NEW, ADD.format("@s") + "keyctl setperm $k 0x37010000; ", COLOUR, 1,
        "because it gives no search",
    ),
    "too-deep": (NEW, CHAIN, COLOUR, 1, "seven levels of keyrings"),
    "elsewhere": (
        NEW, ADD.format("@s") + "keyctl setperm $k 0x3f110000; " + AWAY, "$k", 1,
        "To mend it: keyctl link",
    ),
    "hidden": (
        NEW, ADD.format("@s") + "keyctl setperm $k 0x3f000000; " + AWAY, "$k", 1,
        "do not let this process even look at it",
    ),
    "user-namespace": (
        NEW, "exec unshare -Ur ", NEVER, 1, "has user keyrings (@u, @us) of its own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", ["revoke $k", "timeout $k 1; sleep 1.3", "reject $k 60"])
def test_a_number_whose_key_is_dead_stays_so(stage: Stage, end: str) -> None:
    script = ADD.format("@s") + f"keyctl {end}; "
    if end.startswith("reject"):
        script = f"keyctl request2 user colour callout @s; {LIST}"
    printed = output(stage, f"{script}{HELPER} explain $k", *NEW, code=1)
    assert "This is permanent; ask by type and description" in " ".join(printed.split())
    assert "To mend it" not in printed


@pytest.mark.parametrize("code", sorted(CASES))
def test_every_sentence_on_the_kernel(stage: Stage, code: str) -> None:
    options, script, asked, status, said = CASES[code]
    if "unshare" in script:
        world.need_user_namespaces()
    start = f"PATH=/usr/local/bin:$PATH; {script}"
    printed = output(stage, f"{start}{HELPER} explain {asked}; exit $?", *options, code=status)
    assert said in " ".join(printed.split()), printed
    assert ("To mend it:" in printed) <= (status == 1)
    read = json.loads(output(stage, f"{start}{HELPER} explain --json {asked}; :", *options))
    assert code in [finding["code"] for finding in read["findings"]]
    assert read["usable"] == (status == 0)
    assert (read["error"] is None) == read["usable"]


def test_a_foreign_session_keyring(stage: Stage) -> None:
    ask = f"PATH=/usr/local/bin:$PATH; {ADD.format('@u')} {HELPER} explain user:colour"
    printed = output(stage, ask, "--session=keep", first="own root", code=1)
    assert "belongs to root" in printed
    assert re.search(r"To mend it: pykeyinit-helper run -- \S*sh\n", printed), printed


def test_a_used_up_quota(stage: Stage) -> None:
    ask = f"{HELPER} explain user:never-made"
    printed = output(stage, ask, "--session=user-session", first=f"none fill {UID}", code=1)
    assert f"The quota of {UID} is used up" in " ".join(printed.split())
    wanted = r"For the administrator: as root: sysctl kernel\.keys\.max(bytes|keys)=\d+\n"
    assert re.search(wanted, printed)
    assert "To mend it:" not in printed


@pytest.mark.parametrize("state", ["own", "none"])
def test_a_used_up_quota_in_a_user_namespace(stage: Stage, state: str) -> None:
    """Root of the namespace is an ordinary user outside, and the limit is the host's."""
    world.need_user_namespaces()
    ask = f"unshare -Ur {HELPER} explain user:never-made"
    # The second time the quota is used up already, and a session keyring cannot be created.
    first = f"own {UID} fill {UID}" if state == "own" else f"none fill {UID}"
    session = "--session=keep" if state == "own" else "--session=user-session"
    printed = output(stage, ask, session, first=first, code=1)
    said = " ".join(printed.split())
    assert re.search(r"on the host, as root: sysctl kernel\.keys\.max(bytes|keys)=", said)
    assert re.search(r"sysctl kernel\.keys\.max(bytes|keys)=\d+$", printed, re.M)  # in one line
    assert "invalidated" not in printed
    assert "To mend it:" not in printed


def test_every_sentence_has_a_case() -> None:
    codes: set[str] = set()
    for module in (circumstances, diagnosis, reasons):
        source = Path(str(module.__file__)).read_text()
        codes.update(re.findall(r'Finding\(\s*f?"([a-z-]+[a-z])-?["{]', source))
    elsewhere = {  # other tests cover these
        "session-foreign", "session-none", "session-outer", "refused", "quota", "unreadable",
        "key",
    }  # fmt: skip
    assert codes - elsewhere <= set(CASES)
    assert len(codes) > 25


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES"])
def test_keyctl_refused_as_in_a_container(stage: Stage, error: str) -> None:
    started = stage.start(f"none deny {error} any", HELPER, "explain", "user:colour")
    assert started.code == 1
    assert "For the administrator: allow keyctl, add_key and request_key in" in started.output
    assert "To mend it" not in started.output
    shown = stage.start(f"none deny {error} any", HELPER, "show")
    assert shown.code == 0
    assert "keyctl(2) is" in shown.output


def test_what_is_found_and_refused_to_be_read(stage: Stage) -> None:
    script = f"keyctl add user colour blue @s >&2; exec {HELPER} explain user:colour"
    started = stage.start("own alice", "sh", "-c", script)
    assert started.code == 0
    reading = "11"
    again = stage.start(f"own alice deny EPERM {reading}", "sh", "-c", script)
    assert again.code == 1
    assert "reading it fails with EPERM" in again.output


def test_json_is_what_the_manual_page_says(stage: Stage) -> None:
    folder = world.folder()
    assert folder
    page = (folder / "stage/usr/local/share/man/man8/pykeyinit-helper.8").read_text()
    text = page.partition(".Sh JSON")[2].partition(".Sh ")[0].partition(".Cm explain")[2]
    documented = set(re.findall(r"[a-z_-]+", text))
    read = json.loads(output(stage, f"{HELPER} explain --json user:nosuch", *NEW, code=1))
    assert set(read) | set(read["findings"][0]) <= documented
    assert read["schema"] == 1
    assert read["mend"].startswith("keyctl add user nosuch DATA @")


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_it_keeps_to_the_width_of_the_terminal(stage: Stage, columns: int) -> None:
    """A command continues behind a backslash, so that it can still be pasted."""
    script = f"keyctl revoke @s; COLUMNS={columns} {HELPER} explain 'user:some words'"
    printed = output(stage, script, *NEW, code=1)
    assert max(map(len, printed.splitlines())) <= max(columns, len(f"   {HELPER} \\"))
    assert len(printed.splitlines()) < 7 or columns < 200


@pytest.mark.parametrize(
    "word",
    ["", "colour", ":colour", "user:", "0", "-3", "@x", "0x", "0x0", "0x80000000", "1_0", "%:"],
)
def test_what_is_no_key(stage: Stage, word: str) -> None:
    started = stage.start("none", HELPER, "explain", word)
    assert (started.code, started.errors.count("\n"), started.output) == (125, 1, "")
