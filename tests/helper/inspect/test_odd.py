"""`explain`, `show` and `adopt` with odd names, locales, /proc or descriptors."""

import json
import subprocess

import pytest

from helper.conftest import AS, HELPER, UID, Stage, output
from pykeyinit_helper.inspect import mends

pytestmark = [pytest.mark.privileged, pytest.mark.usefixtures("_no_keys")]

NEW = "--session=new"
NAMES = (
    "a b", "x;reboot", "it's", '"$(id)"', "back\\slash", "line\nend", "\t", "\x1b[31mred",
    "\x9b2J", "\u202egnol", "%s%n", "-x", "@s", "\udcff\udcfe", "\N{GREEK SMALL LETTER ALPHA}" * 9,
    "a: 5",
    "0123abcd I--Q---     1 perm 3f010000     0     0 user      forged", "n" * 4095,
)  # fmt: skip
LOCALES = ("C", "POSIX", "en_US.ISO-8859-1", "C.UTF-8")


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_name_is_asked_for_as_it_is_and_never_printed_raw(stage: Stage, number: int) -> None:
    name, locale = NAMES[number], LOCALES[number % len(LOCALES)]
    word = mends.word(name)
    script = (
        f"export LC_ALL={locale} LANG={locale}; k=$(keyctl add user {word} blue @u);"
        f"{HELPER} explain user:{word}; {HELPER} show @u; {HELPER} explain --json $k"
    )
    text, _, document = output(stage, script, NEW, code=0).partition("\n{\n")
    assert all(line.isprintable() for line in text.split("\n"))
    assert "can be used by this process" in text
    assert json.loads("{\n" + document)["description"] == name
    assert document.isascii()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("user:" + "n" * 4096, "no description is longer than 4095 bytes"),
        ("t" * 31 + ":x", "This kernel has no type"),
        ("t" * 32 + ":x", "no type is longer than 31 bytes"),
        (".request_key_auth:1", "the kernel's own"),
        ("keyring:.hidden", "the kernel's own"),
        ("keyring:_uid.0", "the kernel's own"),
        ("encrypted:e", "master key"),
        ("asymmetric:x", "certificates"),
        ("big_key:x", "This kernel has no type"),
        ("ceph:client.admin", "This kernel has no type"),
    ],
)
def test_what_nobody_can_add_has_no_command(stage: Stage, word: str, said: str) -> None:
    printed = output(stage, f"{HELPER} explain '{word}'", NEW, code=1)
    kind = word.partition(":")[0]
    if "no type" in said and f"\n{kind}" in subprocess.run(
        ["sh", "-c", f"keyctl add {kind} a:b '' @p 2>&1; echo; cat /proc/crypto"],
        capture_output=True, text=True,
    ).stdout:  # fmt: skip
        pytest.skip(f"this kernel has the type {kind}")
    assert said in " ".join(printed.split())
    assert "To mend it:" not in printed


def test_keys_that_vanish_during_the_walk(stage: Stage) -> None:
    """Another process creates and removes keys and keyrings all the time."""
    churn = (
        "import keyutils, itertools\n"
        "for n in itertools.count():\n"
        "    ring = keyutils.add_key(b'r%d' % (n % 7), None, -4, b'keyring')\n"
        "    key = keyutils.add_key(b'colour', b'x', ring)\n"
        "    keyutils.invalidate(key) if n % 2 and hasattr(keyutils, 'invalidate') else 0\n"
        "    keyutils.revoke(key) if n % 3 == 0 else 0\n"
        "    keyutils.unlink(ring, -4)\n"
    )
    command = [*AS, "--session=keep", "/usr/bin/python3", "-I", "-c", churn]
    busy = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for words in ("explain user:colour", "explain keyring:r1", "explain @u", "show") * 4:
            started = stage.start("none", *AS, HELPER, *words.split())
            assert "Traceback" not in started.errors, started.errors
            assert started.code in (0, 1)
            assert started.output
        assert busy.poll() is None
    finally:
        busy.kill()
        busy.wait()


@pytest.mark.parametrize("mount", ["-o hidepid=2 -t proc proc /proc", "-t tmpfs none /proc"])
def test_without_much_of_proc(stage: Stage, mount: str) -> None:
    """With hidepid=2, and without /proc: the verdicts and the mends are the same."""
    script = (
        "k=$(keyctl add user colour blue @u); d=$(keyctl add user dead blue @u); keyctl revoke $d;"
        "e=$(keyctl add user late blue @u); keyctl timeout $e 1; sleep 1.2;"
        "for key in user:colour $k user:dead user:late user:never @s;"
        f"do {HELPER} explain $key; echo $?; done;"
        f"{HELPER} show; keyctl revoke @s; {HELPER} explain @s; echo $?; {HELPER} adopt;"
        f"{HELPER} explain user:colour; echo $?"
    )
    as_uid = f"{HELPER} run --quiet --user={UID}:{UID} --session=new sh -c '{script}'"
    unshare = ("unshare", "-m", "--propagation", "unchanged")
    started = stage.start("none", *unshare, "sh", "-c", f"mount {mount}; {as_uid}")
    assert "Traceback" not in started.errors, started.errors
    statuses = [line for line in started.output.splitlines() if line in ("0", "1", "125")]
    assert statuses == ["0", "0", "1", "1", "1", "0", "1", "0"], started.output
    assert "EKEYREVOKED" in started.output
    assert "EKEYEXPIRED" in started.output
    assert "To mend it: " in started.output
    assert "has the new session keyring" in started.output


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["explain user:x", "explain --json @u", "show", "adopt"])
def test_closed_descriptors(stage: Stage, closed: str, words: str) -> None:
    script = f"{HELPER} {words} {closed}; echo status $?"
    started = stage.start("none", *AS, "sh", "-c", script)
    status = started.output.rsplit("status ", 1)[1].strip()
    assert "Traceback" not in started.errors
    assert status in ("0", "1") if ">&-" not in closed.replace("2>&-", "") else status == "125"


def test_a_full_disk_is_said(stage: Stage) -> None:
    for words in ("explain user:x", "explain --json user:x", "adopt"):
        full = stage.start("none", "sh", "-c", f"exec {HELPER} {words} >/dev/full")
        assert (full.code, full.errors.count("\n")) == (125, 1)


ON_A_TERMINAL = """
import os, subprocess, sys, termios
ours, theirs = os.openpty()
termios.tcsetwinsize(theirs, (24, 44))
status = subprocess.run(sys.argv[1:], stdout=theirs).returncode
os.close(theirs)
sys.stdout.write(os.read(ours, 65536).decode())
sys.exit(status)
"""


def test_the_terminal_is_asked_for_its_width(stage: Stage) -> None:
    """Without COLUMNS.  The world shares the machine's /dev/ptmx; this test needs its own."""
    mounts = "mount -t devpts -o newinstance,ptmxmode=666 none /dev/pts"
    script = f'{mounts} && mount --bind /dev/pts/ptmx /dev/ptmx && unset COLUMNS && exec "$@"'
    unshare = ("unshare", "-m", "--propagation", "unchanged", "sh", "-c", script, "sh")
    command = ("env", "NO_COLOR=1", "/usr/bin/python3", "-I", "-c", ON_A_TERMINAL, HELPER, "show")
    started = stage.start("none", *unshare, *command)
    assert started.code == 0, started.errors
    lines = started.output.splitlines()
    assert 40 < max(map(len, lines)) <= 44
