"""`run --credential`: the keys that the program gets."""

import itertools
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helper.conftest import AS, HELPER, UID, Stage
from helper.run.secret_files import AS_UID, READ, SECRET, Secrets, as_uid
from helper.run.test_supervises import until
from support import world

pytestmark = pytest.mark.privileged

RIGHTS = "1b010000"  # possessor: view, read, search, link; user: view


@pytest.mark.parametrize("first", ["none", "own root", "own {}", "revoked root", "us {}"])
@pytest.mark.parametrize(
    ("who", "owner", "file_owner"),
    [
        (AS, UID, 0),
        ((HELPER, "run", "--quiet", "--revoke-on-exit", *AS[3:]), UID, 0),
        ((HELPER, "run", "--quiet", "--new-session", *AS[3:]), UID, 0),
        ((HELPER, "run", "--quiet"), "0", 0),
        ((*AS_UID, HELPER, "run", "--quiet"), UID, int(UID)),
    ],
    ids=["user", "revoke-on-exit", "new-session", "root", "an ordinary user"],
)
def test_the_program_has_the_key(
    stage: Stage, secrets: Secrets, first: str, who: tuple[str, ...], owner: str, file_owner: int
) -> None:
    file = secrets.file(owner=file_owner, mode=0o400)
    started = stage.start(
        first.format(owner), *who, f"--credential=token={file}", "sh", "-c", READ
    )
    assert started.code == 0, started.errors
    description, _, content = started.output.partition("\n")
    assert description == f"user;{owner};{owner};{RIGHTS};token"
    assert content == SECRET
    assert started.errors == ""


def test_it_is_in_a_new_session_keyring(stage: Stage, secrets: Secrets) -> None:
    """Although a live session keyring of the user is in place."""
    command = (HELPER, "run", f"--user={UID}:{UID}", f"--credential=token={secrets.file()}")
    asked = ("sh", "-c", 'keyctl rdescribe @s; exec "$@"', "-", *command, *stage.tell)
    started = stage.start(f"own {UID}", *asked)
    assert started.output.startswith(f"keyring;{UID};")
    started.output = started.output.partition("\n")[2]
    assert started.links == [f"_uid.{UID}", "token"]
    assert started.description[4] == "_ses"


@pytest.mark.parametrize(
    "content",
    [b"x", b"\0\xff\n\0", b"line\n", bytes(range(256)) * 127 + b"x" * 255],
    ids=["byte", "zeros", "line", "most"],
)
def test_the_content_is_that_of_the_file_byte_for_byte(
    stage: Stage, secrets: Secrets, content: bytes
) -> None:
    """Up to 32,767 bytes, with new lines and zeros."""
    file = secrets.file(content)
    read = "keyctl pipe $(keyctl search @s user token)"
    started = stage.start("none", *AS, f"--credential=token={file}", "sh", "-c", read)
    assert (started.code, os.fsencode(started.output)) == (0, content)


@pytest.mark.parametrize("name", ["clé de mydaemon; no 1", "x" * 4095, ".token", "%user:token"])
def test_names(stage: Stage, secrets: Secrets, name: str) -> None:
    started = stage.run(
        "none", f"--user={UID}:{UID}", "--link=none", "--credential", f"{name}={secrets.file()}"
    )
    assert started.links == [name]


def test_several(stage: Stage, secrets: Secrets) -> None:
    """Also a file with = in its name, and the tag beside them."""
    files = [secrets.file("one"), secrets.file("two", name="=two")]
    options = [f"--credential={name}={file}" for name, file in zip("ab", files, strict=True)]
    read = "for name in a b; do keyctl pipe $(keyctl search @s user $name); done; keyctl rlist @s"
    started = stage.start("none", *AS, *options, "--tag=t", "sh", "-c", read)
    assert started.output.startswith("onetwo")
    assert len(started.output.split()) == 4  # @u, two keys and the tag


def test_the_key_in_the_session_keyring_comes_before_one_of_the_user(
    stage: Stage, secrets: Secrets
) -> None:
    both = "keyctl add user token users @u >/dev/null; keyctl pipe $(keyctl request user token);"
    tidy = "keyctl unlink $(keyctl search @u user token) @u"
    command = (*AS, f"--credential=token={secrets.file('ours')}", "sh", "-c", both + tidy)
    assert stage.start("none", *command).output == "ours"


@pytest.mark.usefixtures("_no_keys")
def test_it_counts_for_the_user(stage: Stage, secrets: Secrets) -> None:
    file = secrets.file("x" * 5000)
    look = ("sed", "-nE", rf"s#^ *({UID}|0): .* ([0-9]+)/[0-9]+$#\1 \2#p", "/proc/key-users")

    def used(*options: str) -> dict[str, int]:
        lines = stage.start("none", *AS, *options, *look).output.splitlines()
        return {uid: int(size) for uid, size in (line.split() for line in lines)}

    before, after = used("--session=new"), used(f"--credential=token={file}")
    assert 5000 <= after[UID] - before[UID] < 5200
    assert after.get("0", 0) - before.get("0", 0) < 4000


@pytest.fixture
def running(secrets: Secrets) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A program with a key, under its supervising parent; and the serial number of the key."""
    options = ("--revoke-on-exit", f"--credential=token={secrets.file()}")
    program = ("sh", "-c", "keyctl search @s user token; read line")
    process = subprocess.Popen(
        [*AS, *options, *program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    yield process, process.stdout.readline().strip()
    if process.poll() is None:
        process.communicate("\n")


def test_nobody_else_can_use_it(running: tuple["subprocess.Popen[str]", str]) -> None:
    """Neither other processes of the user nor root, who do not possess it."""
    _, key = running
    assert as_uid("keyctl", "rdescribe", key).stdout.startswith("user;")
    for command in (("pipe",), ("link",), ("setperm",), ("timeout",), ("revoke",)):
        more = {"link": ("@u",), "setperm": ("0x3f3f3f3f",), "timeout": ("0",)}
        words = (*command, key, *more.get(command[0], ()))
        assert "Permission denied" in as_uid("keyctl", *words).stderr
    root = subprocess.run(["keyctl", "pipe", key], capture_output=True, text=True, check=False)
    assert "Permission denied" in root.stderr


def test_it_ends_with_the_program(running: tuple["subprocess.Popen[str]", str]) -> None:
    process, key = running
    assert process.communicate("\n")[0] == ""
    until(lambda: as_uid("keyctl", "rdescribe", key).returncode)


def memory(pid: int) -> bytes:
    """All that a process has in its memory."""
    found = b""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            first, last = (int(end, 16) for end in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                file.seek(first)
                found += file.read(last - first) or b""
    return found


def test_it_is_not_left_in_the_memory_of_the_parent(
    running: tuple["subprocess.Popen[str]", str],
) -> None:
    """Nor of the guard, nor open there, nor in what ps(1) prints of any of them."""
    process, _ = running
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: len(children.read_text().split()) == 2)
    program, guard = children.read_text().split()
    for pid in (process.pid, int(guard)):
        assert b"--revoke-on-exit" in memory(pid)
        assert SECRET[100:132].encode() not in memory(pid)  # the pattern of all its parts
    for pid in (process.pid, int(guard), int(program)):
        for name in ("cmdline", "environ"):
            assert SECRET[:16].encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        assert not any("secrets-" in link for link in links)


def test_what_the_program_may_do_with_it(stage: Stage, secrets: Secrets) -> None:
    """It may use and link it, and may not change it."""
    script = (
        "key=$(keyctl search @s user token); keyctl link $key @u;"
        "for change in 'setperm 0x3f3f0000' 'timeout 0' 'update x' 'revoke' 'chgrp 0'; do"
        "  set -- $change; keyctl $1 $key $2 2>&1; done;"
        f"keyctl unlink $key @s; {READ.replace('@s', '@u')}; keyctl unlink $key @u"
    )
    started = stage.start("none", *AS, f"--credential=token={secrets.file()}", "sh", "-c", script)
    *refused, description = started.output.split("\n")[:6]
    assert all("Permission denied" in line for line in refused), started.output
    assert description.split(";")[3] == RIGHTS
    assert started.output.endswith(SECRET)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("--credential-timeout", "90"), ("1m",)),
        (("--credential-timeout=2h",), ("1h", "2h")),
    ],
)
def test_a_timeout(
    stage: Stage, secrets: Secrets, words: tuple[str, ...], near: tuple[str, ...]
) -> None:
    options = (*words, f"--credential=a={secrets.file()}", f"--credential=b={secrets.file()}")
    look = "printf ^%08x $(keyctl search @s user $name) | grep -f - /proc/keys"
    script = f"for name in a b; do {look}; done"
    lines = stage.start("none", *AS, *options, "sh", "-c", script).output.splitlines()
    times = [line.split()[3] for line in lines]
    assert times in ([expected] * 2 for expected in near), lines


def test_it_expires_wherever_it_was_linked(stage: Stage, secrets: Secrets) -> None:
    """A link elsewhere keeps it when the session keyring is revoked, but not from its timeout."""
    options = ("--credential-timeout=2", f"--credential=token={secrets.file()}")
    link = "key=$(keyctl search @s user token); keyctl link $key @u; echo $key"
    key = stage.start("none", *AS, "--revoke-on-exit", *options, "sh", "-c", link).output.strip()
    read = (HELPER, "run", "--quiet", "keyctl", "pipe", key)
    assert as_uid(*read).stdout == SECRET
    time.sleep(2.1)
    assert "expired" in as_uid(*read).stderr
    as_uid(HELPER, "run", "--quiet", "keyctl", "unlink", key, "@u")


def test_nobody_sees_it_before_it_is_complete(secrets: Secrets, tmp_path: Path) -> None:
    """The calls and their order: the file is opened as root, the key is made as the user."""
    trace, file = tmp_path / "trace", secrets.file()
    command = (*AS, "--credential-timeout=90", f"--credential=token={file}", "true")
    calls = "trace=openat,read,readv,/setresuid,add_key,keyctl,execve"
    subprocess.run(["strace", "-e", calls, "-o", trace, *command], check=True)
    text = trace.read_text().replace("O_LARGEFILE|", "")  # libc adds it with 32 bits
    lines = [line for line in text.splitlines() if "execve" not in line]
    begin = next(at for at, line in enumerate(lines) if str(file) in line)
    flags = "O_RDONLY|O_NOCTTY|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC"
    assert re.search(rf", {re.escape(flags)}\) = \d+$", lines[begin]), lines[begin]
    key = re.search(r'^add_key\("user", "token", .*, 4103, KEY_SPEC_THREAD_KEYRING\) = (\d+)',
                    text, re.MULTILINE)  # fmt: skip
    joined = re.search(r"KEYCTL_JOIN_SESSION_KEYRING, NULL\) = (\d+)", text)
    assert key
    assert joined
    after = [line.partition("(")[0].removesuffix("32") for line in lines[begin:]]
    after = [call for call in after if call in ("setresuid", "readv", "add_key")]
    assert [call for call, _ in itertools.groupby(after)] == ["setresuid", "readv", "add_key"]
    of_the_key = [line for line in lines if re.search(rf", {key[1]}\b.*= 0$", line)]
    assert [re.sub(r"^keyctl\((\w+), (.*?)\) += 0", r"\1 \2", line) for line in of_the_key] == [
        f"KEYCTL_SET_TIMEOUT {key[1]}, 90",
        f"KEYCTL_SETPERM {key[1]}, KEY_POS_VIEW|KEY_POS_READ|KEY_POS_SEARCH|KEY_POS_LINK"
        "|KEY_USR_VIEW",
        f"KEYCTL_LINK {key[1]}, {joined[1]}",
        f"KEYCTL_UNLINK {key[1]}, KEY_SPEC_THREAD_KEYRING",
    ]
    assert SECRET[:16] in text  # strace prints the payload: nobody else does
    assert "s3cret" not in "".join(line for line in lines if not re.match("readv|add_key", line))


def test_the_environment_names_the_folder(stage: Stage, secrets: Secrets) -> None:
    """As in a unit of systemd with LoadCredential=."""
    file = secrets.file(mode=0o400, name="token")
    run = f"exec {' '.join(AS)} --credential token=$CREDENTIALS_DIRECTORY/token sh -c '{READ}'"
    environment = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(file.parent)}
    assert stage.start("none", "sh", "-c", run, env=environment).output.endswith(SECRET)
    assert world.first_uid() < int(UID)
