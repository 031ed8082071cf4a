"""Another user, who has a session keyring with a name that belongs to someone else."""

import contextlib
import os
import signal
from collections.abc import Iterator

from pam_pykeyinit.kernel import keyctl, syscalls
from support import world

OPEN_TO_ALL = 0x3F3F3F3F
SEARCH_FOR_OTHERS = 0x00000008  # a process that joins it cannot even see its owner


def become(user: str) -> None:
    """Become the user, with all ids."""
    os.setresgid(*[world.gid(user)] * 3)
    os.setresuid(*[world.uid(user)] * 3)


@contextlib.contextmanager
def squatting(user: str, name: str, mask: int = OPEN_TO_ALL) -> Iterator[int]:
    """During the block another user has joined the keyring of that name, and opened it.

    Yields the serial number.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(user)
            serial = keyctl.join_named_session(name)
            keyctl.set_permissions(serial, mask)
            os.write(writing, serial.to_bytes(4, "little"))
            while True:
                signal.pause()
        finally:
            os._exit(1)  # after any exception: there must be no second pytest
    os.close(writing)
    try:
        reported = os.read(reading, 4)
        assert reported, f"{user} cannot have a keyring named {name}"
        yield int.from_bytes(reported, "little")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)


@contextlib.contextmanager
def racing(user: str, name: str) -> Iterator[None]:
    """During the block another user creates keyrings of that name, opens them, and leaves them."""
    child = os.fork()
    if child == 0:
        try:
            become(user)
            while True:
                _squat_for_a_moment(name)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _squat_for_a_moment(name: str) -> None:
    with contextlib.suppress(syscalls.KernelError):
        serial = keyctl.join_named_session(name)
        if serial:
            keyctl.set_permissions(serial, OPEN_TO_ALL)
            keyctl.set_permissions(serial, SEARCH_FOR_OTHERS)
    with contextlib.suppress(syscalls.KernelError):
        syscalls.join_anonymous_session()
