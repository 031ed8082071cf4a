"""The destination of the helper's lines: standard error, or syslog if that is a socket."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import pykeyinit_helper
from helper.conftest import HELPER, Stage
from support.journal import Journal

pytestmark = pytest.mark.privileged


def at_a_client(stage: Stage, first: str, *command: str) -> tuple[int, str]:
    """The output for a client whose connection is descriptors 0, 1 and 2; and the exit status."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    served, _ = listener.accept()
    with listener, client:
        with served:
            fd = served.fileno()
            done = subprocess.run(
                stage.command(first, *command), stdin=fd, stdout=fd, stderr=fd, check=False
            )
        client.settimeout(10)
        with client.makefile() as stream:
            return done.returncode, stream.read()


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
@pytest.mark.parametrize(
    ("first", "options", "code", "logged"),
    [
        ("revoked root", (), 0, "was replaced by"),
        ("own root", ("--session=keep",), 0, "is kept, and nothing is added to it"),
        ("us alice deny EDQUOT 1", (), 0, "no new session keyring"),
        ("us alice deny EDQUOT 1", ("--strict",), 125, "not started because of --strict"),
        ("own root deny EDQUOT 1", (), 125, "cannot be left, and nothing was started"),
        ("none", ("--session=mine",), 125, "--session is keep"),
        ("none", ("--user=nobody-here",), 125, "unknown user: nobody-here"),
    ],
)
def test_a_client_reads_the_daemon_and_nothing_else(
    stage: Stage,
    journal: Journal,
    quiet: tuple[str, ...],
    first: str,
    options: tuple[str, ...],
    code: int,
    logged: str,
) -> None:
    run = (HELPER, "run", "--user=alice", *quiet, *options, "echo", "220 mail ready")
    assert at_a_client(stage, first, *run) == (code, "" if code else "220 mail ready\n")
    lines = [line.text for line in journal.read() if line.facility == "daemon"]
    if quiet and not code:
        assert lines == []
    else:
        assert logged in lines[0]


def test_a_program_that_is_not_there_and_the_other_commands(
    stage: Stage, journal: Journal
) -> None:
    assert at_a_client(stage, "none", HELPER, "run", "/no/such/program") == (127, "")
    assert at_a_client(stage, "none", HELPER, "show", "nonsense") == (125, "")
    texts = [line.text for line in journal.read()]
    assert any("no such program" in text for text in texts)
    assert any("not a keyring" in text for text in texts)


BROKEN = ["cli/main", "run/words", "run/run", "saying", "run/shared", "decide"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_package_that_is_not_whole(
    stage: Stage, journal: Journal, broken: str, tmp_path: Path
) -> None:
    """As while another version is unpacked: no traceback, and no exit status of the program."""
    installed = Path(str(pykeyinit_helper.__file__)).parent
    mine = tmp_path / "helper"
    shutil.copytree(installed, mine, ignore=shutil.ignore_patterns("__pycache__"))
    (mine / f"{broken}.py").write_text("def broken(:\n")
    command = (HELPER, "run", "--session=name=x", "--user=alice", "echo", "220 mail ready")
    subprocess.run(["mount", "--bind", mine, installed], check=True)
    try:
        at_client = at_a_client(stage, "none", *command)
        alone = stage.start("none", *command)
    finally:
        subprocess.run(["umount", installed], check=True)
    assert at_client == (125, "")
    (line,) = (line for line in journal.read() if line.facility == "daemon")
    assert line.text.startswith("its own files are missing or damaged: ")
    assert (alone.code, alone.output, alone.errors.count("\n")) == (125, "", 1)


def test_it_is_said_as_daemon_with_its_level(stage: Stage, journal: Journal) -> None:
    at_a_client(stage, "revoked root", HELPER, "run", "--debug", "--user=alice", "true")
    lines = journal.read()
    assert {line.level for line in lines} == {"DEBUG", "NOTICE"}
    assert {line.facility for line in lines} == {"daemon"}
    assert all(line.identity.startswith("pykeyinit-helper[") for line in lines)
