"""keyring-rs, through its npm package: desktop applications keep passwords with it."""

from collections.abc import Callable

import pytest

from consumers.sessions import Opener, Session, Way
from support import fetched

pytestmark = pytest.mark.privileged

Script = Callable[[Session, str], str]
USE = """
const { Entry } = require("@napi-rs/keyring");
try {
    const entry = new Entry("pykeyinit-test", "alice");
    console.log(entry.%s);
} catch (error) {
    console.log(error.message);
}
"""
SET, GET = 'setPassword("secret")', "getPassword()"


@pytest.fixture(scope="module")
def node() -> Script:
    """Runs an expression in a session, as a new process of Node.js."""
    venv = fetched.with_node()
    fetched.npm(fetched.CACHE / "keyring-rs", venv, "@napi-rs/keyring@1.3.0")
    cache = fetched.readable()
    program = f"NODE_PATH={cache}/keyring-rs/node_modules {fetched.node(cache / 'node')} -"

    def run(session: Session, expression: str) -> str:
        return session.do(program, USE % expression)

    return run


def test_a_password_is_found_by_the_next_process(way: Way, opened: Opener, node: Script) -> None:
    first, second = opened(way), opened(way)
    assert node(first, SET) == "undefined"
    assert node(first, GET) == "secret"
    assert node(second, GET) == "secret"  # it is also in the persistent keyring
    first.logout(revokes=way.revokes)
    assert ("KeyRevoked" in node(first, GET)) == way.revokes
    assert node(opened(way), GET) == "secret"
