"""sessions.py CLIENT THREADS CYCLES: open and close sessions with an unmodified client."""

import ctypes
import sys
import threading
from collections.abc import Callable

keyutils = ctypes.CDLL("libkeyutils.so.1", use_errno=True)  # it knows the numbers of calls
USERS = ("alice", "bob")
REVOKED = -128  # EKEYREVOKED
opened: list[int] = []
revoked: list[int] = []


def owner() -> int:
    """The uid that owns this thread's session keyring."""
    text = ctypes.create_string_buffer(512)
    if keyutils.keyctl_describe(-3, text, 512) < 0:
        return -ctypes.get_errno()
    return int(text.value.split(b";")[1])


def pamela_session(user: str) -> None:
    """A session through pamela: one handle opens it, another one closes it."""
    import pamela

    pamela.open_session(user, "pykeyinit")
    check(user)
    pamela.close_session(user, "pykeyinit")
    if owner() == REVOKED:
        revoked.append(1)


def pam_session(user: str) -> None:
    """A session through python-pam: one handle."""
    import pam

    client = pam.PamAuthenticator() if hasattr(pam, "PamAuthenticator") else pam.pam()
    assert client.authenticate(user, "x", "pykeyinit", call_end=False), client.reason
    assert client.open_session() == 0, client.reason
    check(user)
    assert client.close_session() == 0, client.reason
    assert owner() == REVOKED
    revoked.append(1)
    client.end()


def check(user: str) -> None:
    """The session keyring must be this user's."""
    import pwd

    assert owner() == pwd.getpwnam(user).pw_uid, (user, owner())


def work(session: Callable[[str], None], cycles: int, number: int) -> None:
    """The sessions of each thread."""
    for cycle in range(cycles):
        session(USERS[(number + cycle) % 2])
        opened.append(1)


session = pamela_session if sys.argv[1] == "pamela" else pam_session
threads, cycles = int(sys.argv[2]), int(sys.argv[3])
if threads:
    workers = [
        threading.Thread(target=work, args=(session, cycles, number)) for number in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
else:
    work(session, cycles, 0)
print(len(opened), len(revoked))  # noqa: T201
