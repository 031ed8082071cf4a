"""Fixtures for real programs that use keyrings, in each kind of session."""

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from logins import sshd
from logins.people import pam_services

from consumers import debian, kdc
from consumers.sessions import AS_DAEMON, WAYS, Opener, Session, Way
from support import world


@pytest.fixture(scope="session")
def place() -> Path:
    """A folder of this world for files that every user can read."""
    top = world.folder()
    if top is None:  # this runs before tests/conftest.py skips tests
        world.skip(world.NEEDS_ROOT)
    folder = top / "consumers"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def packages() -> Path:
    """Debian's packages, unpacked."""
    return debian.packages()


@pytest.fixture(scope="session")
def environment(packages: Path) -> dict[str, str]:
    """The environment for programs that must find those packages."""
    return debian.environment(packages)


@pytest.fixture(scope="module")
def etc(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A writable copy of /etc, mounted over the machine's meanwhile."""
    copy = place / f"etc-{tmp_path_factory.mktemp('etc').name}"
    subprocess.run(["cp", "-a", "/etc", copy], check=True)
    subprocess.run(["mount", "--bind", copy, "/etc"], check=True)
    yield Path("/etc")
    subprocess.run(["umount", "--lazy", "/etc"], check=True)


@pytest.fixture(scope="module")
def kerberos(
    etc: Path, packages: Path, environment: dict[str, str], place: Path
) -> Iterator[kdc.Kdc]:
    """A KDC on loopback, and /etc/krb5.conf for it."""
    folder = place / f"kdc-{next(_numbers)}"
    folder.mkdir()
    with kdc.running(folder, packages, etc / "krb5.conf", environment) as one:
        yield one


@pytest.fixture(scope="module")
def server(place: Path, environment: dict[str, str], etc: Path) -> Iterator[sshd.Sshd]:
    """An sshd that accepts keys and passwords, and finds the packages' libraries."""
    folder = place / f"sshd-{next(_numbers)}"
    folder.mkdir()
    passwords = "PasswordAuthentication yes\n"
    with sshd.running(folder, passwords, environment, APART) as daemon:
        yield daemon


_numbers = itertools.count()
# A module that runs too early adds its keys to the session keyring of the caller.
APART = ("keyctl", "session", "-")


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    """Each way to get a session keyring, in turn."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def folder(place: Path) -> Path:
    """A folder of this test where every user can write."""
    mine = place / f"test-{next(_numbers)}"
    mine.mkdir()
    mine.chmod(0o1777)
    return mine


@pytest.fixture
def _no_keys() -> Iterator[None]:
    """Clear alice's keyrings that outlive sessions, before and after a test."""
    clear = "keyctl clear @u; keyctl clear @us; keyctl link @u @us; "
    clear += "keyctl clear $(keyctl get_persistent @s)"
    as_alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
    command = [*as_alice, "keyctl", "session", "-", "sh", "-c", clear]
    subprocess.run(command, check=True, capture_output=True)
    yield
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def opened(
    server: sshd.Sshd, folder: Path, environment: dict[str, str], _no_keys: None
) -> Iterator[Opener]:
    """Opens a session of a user: opened(way), opened(way, password=..., services=...).

    With a password, the stack that the test gives asks for it.
    """
    sessions: list[Session] = []

    def open_one(
        way: Way,
        user: str = "alice",
        *,
        password: str = "",
        services: dict[str, str] | None = None,
    ) -> Session:
        stacks = way.services if services is None else services
        with pam_services(folder / f"pam.d-{len(sessions)}", **stacks):
            session = _start(way, user, password, server, folder, environment)
            sessions.append(session)
            return session.begin(f"{password}\n" if password and way.program == "su" else "")

    yield open_one
    for session in sessions:
        session.close()


def _start(
    way: Way,
    user: str,
    password: str,
    server: sshd.Sshd,
    folder: Path,
    environment: dict[str, str],
) -> Session:
    """Begin to start a session; ssh(1) asks for `password`, if there is one."""
    if way.program == "su":
        command = [*APART, "su", "--shell=/bin/sh", user, "-c"]
        return Session(command, folder, environment, shell=True)
    if way.program == "run":
        command = [*AS_DAEMON, f"--user={user}", "--", *way.helped]
        return Session(command, folder, environment)
    if not password:
        return Session(server.command(user), folder, environment, shell=True)
    program = folder / "askpass"
    program.write_text(f"#!/bin/sh\necho '{password}'\n")
    program.chmod(0o755)
    asking = {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}
    command = server.command(user, "BatchMode=no", "PreferredAuthentications=password")
    return Session(command, folder, environment, shell=True, outside=asking)
