"""`watch`: its events for real keys, with notifications if this kernel has them.

A session has the watcher in the background, and runs the commands of the test.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helper.conftest import HELPER
from helper.view import held
from support import world

pytestmark = pytest.mark.privileged

UID = world.first_uid() + 33
BECOME = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")


def notifies() -> bool:
    """Whether this kernel has CONFIG_WATCH_QUEUE."""
    try:
        pipe = os.pipe2(os.O_EXCL)
    except OSError:
        return False
    for each in pipe:
        os.close(each)
    return True


class Session:
    """A shell in a new session keyring, with the output of a watcher in it."""

    def __init__(self, what: str) -> None:
        self._shell = subprocess.Popen(
            [*BECOME, "keyctl", "session", "-", "sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        self._timer = threading.Timer(60, self._shell.kill)
        self._timer.start()
        self.do(f"exec 3>&1 >/dev/null; {HELPER} watch --json {what} >&3 & watcher=$!")
        self.first = self.until("watching")

    def do(self, script: str) -> None:
        """Run a script in the shell."""
        assert self._shell.stdin
        self._shell.stdin.write(f"{script}\n")
        self._shell.stdin.flush()

    def until(self, event: str) -> dict[str, Any]:
        """The next event of that name."""
        assert self._shell.stdout
        for line in self._shell.stdout:
            told: dict[str, Any] = json.loads(line)
            if told["event"] == event:
                return told
        raise AssertionError(self._shell.communicate())

    def end(self, script: str = "wait $watcher") -> tuple[str, str]:
        """Run a last script in the shell, print its status; return the rest of both outputs."""
        output, errors = self._shell.communicate(f"{script}; echo $? >&3\n")
        self._timer.cancel()
        errors = errors.replace(errors[: errors.find("\n") + 1], "", 1)  # keyctl's own line
        return output, errors


@pytest.fixture
def session() -> Iterator[Session]:
    """A session whose watcher watches the session keyring."""
    made = Session("@s")
    yield made
    made.end("kill $watcher; wait")


def test_how_it_knows_is_said_first(session: Session) -> None:
    assert session.first["detail"] is None
    assert session.first["how"] == ("notified" if notifies() else "looking")
    assert session.first["key"]["description"] == "_ses"


def test_what_happens_in_a_keyring(session: Session) -> None:
    session.do("key=$(keyctl add user colour red @s)")
    linked = session.until("linked")
    assert linked["key"] == session.first["key"]
    assert (linked["other"]["type"], linked["other"]["description"]) == ("user", "colour")
    session.do("keyctl setperm $key 0x3f3f0000")
    changed = session.until("changed")
    assert changed["key"] == linked["other"]
    assert changed["detail"] == "permissions 3f010000 to 3f3f0000"
    session.do("keyctl unlink $key @s")
    unlinked = session.until("unlinked")
    assert (unlinked["key"], unlinked["other"]) == (session.first["key"], linked["other"])


def test_a_key_in_it_that_expires_and_one_that_is_revoked(session: Session) -> None:
    session.do("keyctl add user first x @s")
    first = session.until("linked")["other"]
    session.do("keyctl timeout %user:first 2")
    assert session.until("expired")["key"] == first
    session.do("keyctl add user second x @s")
    second = session.until("linked")["other"]
    session.do("keyctl revoke %user:second")
    assert session.until("revoked")["key"] == second


def test_only_the_kernel_tells_of_what_leaves_no_trace(session: Session) -> None:
    if not notifies():
        world.leave_out("this kernel has no notifications")
    session.do("keyctl add user colour red @s")
    session.until("linked")
    session.do("keyctl update %user:colour green")
    assert session.until("updated")["key"]["description"] == "colour"
    session.do("keyctl timeout %user:colour 1000")
    assert session.until("changed")["detail"] == "timeout"
    session.do("keyctl invalidate %user:colour")
    assert session.until("invalidated")["key"]["description"] == "colour"
    session.do("keyctl clear @s")
    assert session.until("cleared")["key"] == session.first["key"]


@pytest.mark.parametrize("how", ["revoke @s", "timeout @s 1"])
def test_it_ends_with_what_it_watches(how: str) -> None:
    session = Session("@s")
    session.do(f"keyctl {how}")
    event = "revoked" if "revoke" in how else "expired"
    assert session.until(event)["key"] == session.first["key"]
    assert session.end() == ("0\n", "" if notifies() else session_note())


def session_note() -> str:
    """The message if the kernel has no notifications."""
    return (
        "pykeyinit-helper: no notifications in this kernel (CONFIG_WATCH_QUEUE): "
        "looking each second\n"
    )


def test_a_keyring_that_nobody_has_any_more() -> None:
    with held.session(UID, "keyctl link @u @s") as serial:
        watcher = subprocess.Popen(
            [*BECOME, HELPER, "watch", str(serial)], stdout=subprocess.PIPE, text=True
        )
        assert watcher.stdout
        assert f" watching {serial} keyring:_ses" in watcher.stdout.readline()
    output, _ = watcher.communicate(timeout=60)
    assert f" gone {serial} keyring:_ses" in output.splitlines()[-1]
    assert watcher.returncode == 0


def _of_the_user_keyring(**more: Any) -> "subprocess.Popen[str]":
    command = [*BECOME, HELPER, "watch", "@u"]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    assert watcher.stdout
    assert " watching " in watcher.stdout.readline()
    return watcher


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_by_a_signal_without_a_word(number: signal.Signals) -> None:
    watcher = _of_the_user_keyring(stderr=subprocess.PIPE)
    watcher.send_signal(number)
    output, errors = watcher.communicate(timeout=30)
    assert (watcher.returncode, output) == (-number, "")
    assert "Traceback" not in errors
    assert errors == ("" if notifies() else session_note())


def test_it_ends_when_nobody_reads_though_nothing_happens() -> None:
    watcher = _of_the_user_keyring()
    assert watcher.stdout
    watcher.stdout.close()
    assert watcher.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("word", "error"),
    [("nonsense", "no key"), ("user:colour", "no key"), ("2147483647", "cannot watch 2147483647")],
)
def test_what_cannot_be_watched(word: str, error: str) -> None:
    done = subprocess.run([*BECOME, HELPER, "watch", word], capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line != session_note().rstrip()]
    assert (done.returncode, done.stdout, len(lines)) == (125, "", 1)
    assert error in lines[0]


def test_another_s_is_not_watched() -> None:
    with held.session(UID + 1) as serial:
        done = subprocess.run([*BECOME, HELPER, "watch", str(serial)], capture_output=True)
    assert done.returncode == 125


def test_the_unit(tmp_path: Path) -> None:
    """Its command, for a session keyring; and systemd accepts it."""
    unit = world.ROOT / "conf" / "systemd/pykeyinit-watch@.service"
    laid = tmp_path / "pykeyinit-watch@7.service"
    shutil.copy(unit, laid)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(laid)],
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, laid.name in done.stderr) == (0, False), done.stderr
    (line,) = re.findall(r"^ExecStart=(.*)", unit.read_text(), re.MULTILINE)
    with held.session(UID) as serial:
        program = [*BECOME, *line.replace("%i", str(serial)).split()]
        watcher = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert watcher.stdout
        assert f" watching {serial} " in watcher.stdout.readline()
        watcher.terminate()
        watcher.communicate()
