"""Keys that the kernel requests from /sbin/request-key.

The kernel starts that program in the first mount namespace, so it is the machine's own, with
the machine's request-key.conf(5).  The tests use the rules that Debian installs.
"""

import os
import subprocess
from pathlib import Path

import pytest

from consumers.sessions import Opener, Way
from support import world

pytestmark = pytest.mark.privileged

LOOP = f"debug:loop:pykeyinit-{os.getpid()}"  # a rule that returns the word that it receives


def upcall(name: str) -> str:
    """The content of a key that root requests; "" if it is not created."""
    ask = f"keyctl print $(keyctl request2 user {name} word @s)"
    command = ["keyctl", "session", "-", "sh", "-c", ask]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def _request_key() -> None:
    """Skip if the machine's request-key does not create debug:loop:*.

    This is not a lack of privileges: the kernel of a container starts the host's program.
    """
    if upcall(f"{LOOP}-probe") != "word":
        world.leave_out("this machine has no /sbin/request-key, or no debug:loop:* in its rules")


@pytest.mark.usefixtures("_request_key")
def test_a_key_that_the_kernel_asks_for_is_left_in_the_session(way: Way, opened: Opener) -> None:
    first, second = opened(way), opened(way)
    name = f"{LOOP}-{way}"
    made = first.do(f"keyctl print $(keyctl request2 user {name} word @s)")
    assert made == "word"
    assert first.do(f"keyctl print $(keyctl request user {name})") == "word"
    assert "Required key not available" in second(f"keyctl request user {name}").output
    first.logout(revokes=way.revokes)
    assert first(f"keyctl request user {name}").status == (1 if way.revokes else 0)


@pytest.mark.usefixtures("_request_key")
def test_a_private_mount_namespace_does_not_change_its_rules(etc: Path) -> None:
    (etc / "request-key.conf").write_text("create user debug:* * /bin/keyctl negate %k 30 %S\n")
    assert upcall(f"{LOOP}-namespace") == "word"
