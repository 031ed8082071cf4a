"""Another user, who has a session keyring of a name that is not theirs to use."""

import contextlib
import os
import signal
from collections.abc import Iterator

from pam_pykeyinit.kernel import keyctl, syscalls
from support import world

OPEN_TO_ALL = 0x3F3F3F3F
SEARCH_FOR_OTHERS = 0x00000008  # whoever joins it may not even see whose it is


def become(user: str) -> None:
    """Be the user, wholly."""
    os.setresgid(*[world.gid(user)] * 3)
    os.setresuid(*[world.uid(user)] * 3)


@contextlib.contextmanager
def squatting(user: str, name: str, mask: int = OPEN_TO_ALL) -> Iterator[int]:
    """As long as the block lasts somebody has joined the keyring of that name, and opened it.

    Gives the serial number.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(user)
            serial = keyctl.join_named_session(name)
            syscalls.set_permissions(serial, mask)
            os.write(writing, serial.to_bytes(4, "little"))
            while True:
                signal.pause()
        finally:
            os._exit(1)  # whatever was raised: there must be no second pytest
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
    """As long as the block lasts somebody makes keyrings of that name, opens, and leaves them."""
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
            syscalls.set_permissions(serial, OPEN_TO_ALL)
            syscalls.set_permissions(serial, SEARCH_FOR_OTHERS)
    with contextlib.suppress(syscalls.KernelError):
        syscalls.join_anonymous_session()
