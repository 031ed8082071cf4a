"""pykeyinit-helper(8): its examples run, with programs and users that exist."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import world
from support.mounts import wrapper

from .texts import PAGES, alice, examples

pytestmark = pytest.mark.privileged

# Replacements for the reader's own names.
HERE = {
    "/usr/local/sbin/mydaemon\n": "/bin/cat\n",
    "/usr/sbin/mydaemon -f": "/usr/bin/keyctl show @s",
    "--user www": "--user bob",
}


def _example(word: str) -> str:
    (found,) = (block for block in examples(PAGES["pykeyinit-helper.8"]) if word in block)
    for theirs, ours in HERE.items():
        found = found.replace(theirs, ours)
    return found


def _root(command: list[str], text: str = "") -> str:
    return subprocess.run(
        command,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        input=text,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_every_example_is_run_below() -> None:
    assert len(examples(PAGES["pykeyinit-helper.8"])) == 7


def test_the_line_of_inetd() -> None:
    (shown,) = (block for block in examples(PAGES["pykeyinit-helper.8"]) if "stream tcp" in block)
    *_, shipped = (world.ROOT / "conf/inetd/inetd.conf").read_text().splitlines()
    assert shown.replace("\\\n", "").split() == shipped.split()
    _, _, _, _, _, program, _, *arguments = _example("stream tcp").replace("\\\n", "").split()
    assert _root([program, *arguments], "echo") == "echo"


def test_the_run_script() -> None:
    script = _example("--user www -- /usr/sbin/mydaemon -f")
    assert f"_uid_ses.{world.uid('bob')}" in _root(["/bin/sh", "-c", script])


@pytest.fixture
def token() -> Iterator[str]:
    """The path of a file that only root can read."""
    with tempfile.NamedTemporaryFile(suffix="token") as file:
        file.write(b"secret")
        file.flush()
        yield file.name


def test_the_run_script_with_a_secret(token: str) -> None:
    script = _example("token=/etc/mydaemon/token").replace("/etc/mydaemon/token", token)
    assert " user: token\n" in _root(["/bin/sh", "-c", script])


def test_the_unit_with_a_secret(token: str, tmp_path: Path) -> None:
    """systemd accepts it; it expands the variable as a shell does."""
    text = _example("LoadCredential")
    unit = tmp_path / "mydaemon.service"
    unit.write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "mydaemon" not in done.stderr
    start = text.split("ExecStart=")[1]
    folder = f"CREDENTIALS_DIRECTORY={token.rpartition('/')[0]}"
    start = start.replace("}/token ", f"}}/{token.rpartition('/')[2]} ")
    assert " user: token\n" in _root(["/usr/bin/env", folder, "/bin/sh", "-c", start])


def test_the_pipe() -> None:
    if not _root(["/bin/sh", "-c", "command -v jq || :"]):
        world.skip("needs jq")
    owners = alice("sh", "-c", _example("jq")).stdout.split()
    assert set(owners) == {"alice"}


def test_the_daemon_in_python() -> None:
    look = 'import os; os.execvp("keyctl", ["keyctl", "show", "@s"])'
    done = alice("/usr/bin/python3", "-B", "-c", f"{_example('import')}\n{look}")
    assert done.returncode == 0, done.stderr
    assert "pykeyinit-helper:mydaemon" in done.stdout


def test_all_services_that_had_pam_keyinit(tmp_path: Path) -> None:
    """On a copy of /etc/pam.d, because the findings of `check` depend on the machine."""
    stacks = Path(shutil.copytree("/etc/pam.d", tmp_path / "pam.d"))
    for service in ("su-l", "login"):
        (stacks / service).write_text("session optional pam_keyinit.so force revoke\n")
    (tmp_path / "lib").mkdir()  # `enable` keeps there what was in a file before
    own = {"/etc/pam.d": stacks, "/var/lib": tmp_path / "lib"}
    shell = wrapper(tmp_path / "shell", own, "/bin/sh", "-c")
    subprocess.run(
        [shell, _example("xargs")], env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, check=False
    )
    for service in ("su-l", "login"):
        assert (
            "\nsession optional pam_pykeyinit.so force revoke\n" in (stacks / service).read_text()
        )
