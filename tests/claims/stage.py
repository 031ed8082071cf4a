"""The stages on which claims are tried: users, threads, programs."""

import os
import random
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from claims import calls
from claims.claim import NotHere, base_uid
from pam_pykeyinit.kernel import syscalls
from support.child import in_child

Result = TypeVar("Result")

KEYCTL = "/usr/bin/keyctl" if Path("/usr/bin/keyctl").exists() else "/bin/keyctl"
NET_BIND_SERVICE = 1 << 10
FIRST_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO of linux/proc_ns.h


def become(uid: int) -> None:
    """Become an ordinary user permanently."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def user() -> int:
    """Become the user of most claims; return the uid."""
    become(base_uid())
    return base_uid()


def user_in_session() -> int:
    """The same, with an empty session keyring that the user owns; return its serial number."""
    user()
    return syscalls.join_anonymous_session()


def new_uid() -> int:
    """A uid of which the kernel has no record yet.  The kernel keeps the record from then on."""
    records = Path("/proc/key-users").read_text().splitlines()
    known = {line.split(":")[0].strip() for line in records}
    drawn = iter(lambda: random.randrange(1 << 20, 1 << 30), 0)
    return next(uid for uid in drawn if str(uid) not in known)


def forget(uid: int) -> None:
    """Remove what was added to the keyrings that the kernel keeps for a user."""

    def clear() -> None:
        become(uid)
        syscalls.join_anonymous_session()
        for keyring in ("@u", "@us", keyctl("get_persistent", "@s")):
            keyctl("clear", keyring)
        keyctl("link", "@u", "@us")  # as the kernel creates it

    in_child(clear)


def without_session(uid: int) -> None:
    """Become a user without a session keyring.  NotHere if this process was started with one."""

    def has_none() -> bool:
        become(base_uid())
        session: int = syscalls.get_keyring_id(calls.SESSION)
        return session == syscalls.get_keyring_id(calls.USER_SESSION)

    if not in_child(has_none):
        raise NotHere("this process was started with a session keyring")
    become(uid)


def in_thread(work: Callable[[], Result]) -> Result:
    """The result of work() in a separate thread, after that thread has ended."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def linux() -> tuple[int, ...]:
    """The first two numbers of the kernel's version."""
    return tuple(int(number) for number in os.uname().release.split(".")[:2])


def is_gone(serial: int) -> bool:
    """Whether the kernel destroys a key; this takes some time."""
    deadline = time.monotonic() + 60
    while calls.state(serial) != "ENOKEY":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def after_exec(prepare: Callable[[], int], *command: str) -> list[str]:
    """Prepare and execute in one process: return the number prepared, and the words printed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for descriptor in (1, 2):
                os.dup2(writing, descriptor)
            os.write(1, b"%d\n" % prepare())
            os.execv(command[0], command)
        finally:
            os._exit(99)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        words = pipe.read().split()
    os.waitpid(child, 0)
    _known(" ".join(words[1:]))
    return words


def keyctl(*words: str) -> str:
    """The output of keyctl(1), errors included."""
    run = subprocess.run([KEYCTL, *words], capture_output=True, text=True)
    return _known((run.stdout + run.stderr).strip())


def _known(printed: str) -> str:
    """The output of keyctl(1).  NotHere if it is too old for the command."""
    if printed == "Unknown command":
        raise NotHere("this keyctl(1) is too old to be asked")
    return printed


@contextmanager
def privileged_keyctl(mode: int = 0o755, capability: int = 0) -> Iterator[str]:
    """A keyctl(1) that belongs to another user, with set-id bits or a capability."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        program = Path(shutil.copy(KEYCTL, folder))
        os.chown(program, base_uid() + 1, base_uid() + 1)
        program.chmod(mode)
        if capability:
            value = struct.pack("<5I", 0x02000001, capability, 0, 0, 0)
            os.setxattr(program, "security.capability", value)
        yield str(program)
