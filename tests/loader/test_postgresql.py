"""PostgreSQL authenticates through PAM, and starts a Python for functions written in it."""

from collections.abc import Iterator

import pytest
from loader import postgresql

from support import world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

STACK = """auth optional {line}
auth required pam_permit.so
account optional {line}
account required pam_permit.so"""
FUNCTION = """
create extension if not exists plpython3u;
create or replace function f() returns int language plpython3u as 'import json; return 7';
"""


@pytest.fixture(params=["pam_pykeyinit.so", world.ORACLE])
def server(request: pytest.FixtureRequest, driver: Driver) -> Iterator[postgresql.Server]:
    stack = STACK.format(line=f"{request.param} force revoke")
    running = postgresql.Server(postgresql.unpacked(), driver, stack)
    try:
        yield running
    finally:
        running.stop()


def test_a_function_in_python(server: postgresql.Server, journal: Journal) -> None:
    server.query("alice", FUNCTION, "create role bob login")

    assert server.query("bob", "select f()", "select f() + 1").split() == ["7", "8"]
    assert "terminated by signal" not in server.log.read_text()
    assert journal.ours() == []
