"""`explain` agrees with the kernel: each case asks both."""

import re

import pytest

from helper.conftest import HELPER, UID, Stage, output

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]

NEW, BARE = ("--session=new",), ("--session=new", "--link=none")

CHAIN = "r=@s; for n in 1 2 3 4 5 6{}; do r=$(keyctl newring c$n $r); done; "
LIVE = 'k=$(keyctl add user colour blue "$r"); '
NEGATIVE = "keyctl request2 user colour callout @s 2>/dev/null; "

# The setup, the question, whether the kernel finds the key, and words of the output.
CASES = {
    "a short way behind a longer one": (
        NEW,
        "r=@s; for n in 1 2 3 4 5; do r=$(keyctl newring c$n $r); done; i=$(keyctl newring i $r);"
        "j=$(keyctl newring j $i); keyctl add user colour blue $j; keyctl link $i @s",
        True,
        "@s > i > j > key",
    ),
    "the seventh keyring of a chain": (NEW, CHAIN.format("") + LIVE, True, "c5 > c6 > key"),
    "the eighth": (NEW, CHAIN.format(" 7") + LIVE, False, "nested too deep"),
    "a negative key before a live one": (
        NEW,
        NEGATIVE + "keyctl add user colour blue @u",
        True,
        f"@s > _uid.{UID} > key",
    ),
    "a negative key alone": (NEW, NEGATIVE, False, "The key is negative"),
    "search without read on the way": (
        NEW,
        "r=$(keyctl newring dark @s); " + LIVE + "keyctl setperm $r 0x3d010000",
        True,
        "@s > dark > key",
    ),
    "neither search nor read on the way": (
        NEW,
        "r=$(keyctl newring dark @s); " + LIVE + "keyctl setperm $r 0x35010000",
        False,
        "dark",
    ),
    "one whose name only begins so": (
        NEW,
        "keyctl add user 'colour: y' blue @s",
        False,
        "No key of type",
    ),
    "a revoked one whose name only begins so": (
        NEW,
        "k=$(keyctl add user 'colour: y' blue @s); keyctl revoke $k",
        False,
        "No key of type",
    ),
    "a revoked key": (NEW, "r=@s; " + LIVE + "keyctl revoke $k", False, "EKEYREVOKED"),
    "an expired session keyring is searched": (
        NEW,
        "r=@s; " + LIVE + "keyctl timeout @s 1; sleep 1.2",
        True,
        "has expired",
    ),
    "a key in the persistent keyring": (
        NEW,
        "p=$(keyctl get_persistent @s); r=$p; " + LIVE + "keyctl unlink $p @s",
        False,
        "the persistent keyring",
    ),
    "a revoked session keyring": (
        NEW,
        "r=@u; " + LIVE + "keyctl revoke @s",
        False,
        "it is in the user keyring",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_kernel_and_explain_agree(stage: Stage, case: str) -> None:
    options, script, found, said = CASES[case]
    ask = (
        f"{{ {script.rstrip('; ')}; }} >/dev/null 2>&1;"
        "keyctl request user colour >/dev/null 2>&1; echo $?;"
        f"{HELPER} explain user:colour; echo $?; keyctl reap >/dev/null;"
        "p=$(keyctl get_persistent @s 2>/dev/null) && keyctl clear $p"
    )
    kernel, *printed, reported = output(stage, ask, *options).splitlines()
    assert kernel == str(int(not found))
    assert reported == kernel, printed
    assert said in " ".join(" ".join(printed).split()), printed
    assert ("To mend it:" in "\n".join(printed)) <= (not found)


@pytest.mark.parametrize(
    ("key", "found", "said"),
    [
        ("logon:svc:colour", 0, "cannot be read by programs"),
        ("keyring:my ring", 0, "@s > key"),
        ("keyring:my", 1, "No keyring of this name"),
        ("dns_resolver:nosuch", 1, "request-key"),
    ],
)
def test_other_types(stage: Stage, key: str, found: int, said: str) -> None:
    make = "keyctl add logon svc:colour blue @s; keyctl newring 'my ring' @s; "
    kind, _, name = key.partition(":")
    request = f"keyctl request {kind} '{name}' >&2; echo $?; "
    printed = output(stage, f"{make}{request}{HELPER} explain '{key}'", *NEW, code=found)
    assert said in " ".join(printed.split()), printed
    assert f"\n{found}\n" in printed


def test_a_type_of_more_than_nine_letters_that_only_proc_keys_has(stage: Stage) -> None:
    """The kernel does not describe a revoked key, and /proc/keys has nine letters of its type."""
    add = "k=$(keyctl add encrypted colour 'new user:master 32' @s); keyctl revoke $k; "
    master = "keyctl add user master 12345678901234567890123456789012 @s; "
    printed = output(stage, f"{master}{add}{HELPER} explain encrypted:colour", *NEW, code=1)
    assert "EKEYREVOKED" in printed
    long = f"keyctl request2 dns_resolver nosuch callout @s; {HELPER} explain dns_resolver:nosuch"
    printed = output(stage, long, *NEW, code=1)
    assert "The key is negative" in printed


def test_a_key_in_another_session_of_ones_own(stage: Stage) -> None:
    inner = f"{HELPER} run --session=new {HELPER} explain user:colour"
    printed = " ".join(
        output(stage, f"keyctl add user colour blue @s; {inner}", *NEW, code=1).split()
    )
    assert "session keyring of another login" in printed
    assert "To mend it:" not in printed


def test_what_can_be_used_is_not_mended(stage: Stage) -> None:
    """A session keyring of root, or a used-up quota, does not affect a key that is found."""
    add = "keyctl add user colour blue @s >/dev/null; "
    as_uid = f"setpriv --reuid={UID} --regid={UID} --clear-groups"
    script = f"{add}{as_uid} {HELPER} explain user:colour"
    started = stage.start("own root", "sh", "-c", script)
    assert started.code == 0, started.output
    assert "belongs to root" in " ".join(started.output.split())
    assert "To mend it" not in started.output
    full = output(stage, f"{HELPER} explain user:fill0", first=f"none fill {UID}", code=0)
    assert "is used up" in " ".join(full.split())
    assert "To mend it" not in full


@pytest.mark.parametrize(
    ("word", "status"),
    [("@u", 0), ("@s", 0), ("@us", 0), ("@t", 1), ("@p", 1), ("0x%x", 0), ("%user:colour", 0)],
)
def test_how_a_key_is_named(stage: Stage, word: str, status: int) -> None:
    if "%x" in word:
        word = "$(printf 0x%x $k)"
    script = f"k=$(keyctl add user colour blue @u); {HELPER} explain {word}"
    printed = output(stage, script, *NEW, code=status)
    assert re.match(r"\S+ can(not)? be used by this process\.", printed), printed


@pytest.mark.parametrize("kind", ["read", "no read"])
def test_a_serial_that_is_in_no_keyring(stage: Stage, kind: str) -> None:
    """A readable key can be read by its number, even if no search finds it."""
    mask = "0x3f030000" if kind == "read" else "0x3f010000"
    inner = f"{HELPER} run --session=new sh -c 'keyctl read '$k' >&2; {HELPER} explain '$k"
    script = f"k=$(keyctl add user colour blue @s); keyctl setperm $k {mask}; {inner}"
    output(stage, script, *NEW, code=int(kind != "read"))


@pytest.mark.parametrize(
    ("how", "call"), [("deny EPERM request_key", "request_key"), ("deny EPERM add_key", "add_key")]
)
def test_a_filter_that_refuses_one_call_alone(stage: Stage, how: str, call: str) -> None:
    started = stage.start(f"none {how}", HELPER, "explain", "user:never-made")
    assert started.code == 1
    assert f"{call}(2) is refused" in " ".join(started.output.split())
    assert "To mend it:" not in started.output
    assert "seccomp" in started.output


def test_without_proc_a_revoked_key_is_known_as_one(stage: Stage) -> None:
    script = (
        "k=$(keyctl add user colour blue @s); keyctl revoke $k; mount -t tmpfs none /proc;"
        f"exec {HELPER} explain user:colour"
    )
    unshare = ("unshare", "-m", "--propagation", "unchanged")
    started = stage.start("own root", *unshare, "sh", "-c", script)
    assert started.code == 1, started.errors
    assert "EKEYREVOKED" in started.output


@pytest.mark.parametrize(("how", "status"), [("describe", 0), ("revoke", 1)])
def test_a_key_without_reading_by_its_number(stage: Stage, how: str, status: int) -> None:
    """keyctl_read(3) gives EOPNOTSUPP, dead or alive."""
    script = f"k=$(keyctl add logon svc:colour blue @s); keyctl {how} $k >&2; {HELPER} explain $k"
    printed = output(stage, script, *NEW, code=status)
    assert ("EKEYREVOKED" in printed) == bool(status)
