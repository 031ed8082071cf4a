"""docs/daemons.md: each block of Python in it runs unchanged, as an ordinary user."""

import pytest

from support import world

from .texts import alice_without_session, fences

pytestmark = pytest.mark.privileged
BLOCKS = [block for _, block in fences((world.ROOT / "docs/daemons.md").read_text())]


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 4


@pytest.mark.parametrize("block", BLOCKS)
def test_the_python_runs(block: str) -> None:
    done = alice_without_session("/usr/bin/python3", "-B", "-c", block)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_hook_of_gunicorn_runs_in_a_worker() -> None:
    """gunicorn calls it after the worker has become the user."""
    text = (world.ROOT / "docs/daemons.md").read_text()
    hook = text.split("    def post_worker_init", 1)[1].split("\n\nWith `name=`", 1)[0]
    hook = "def post_worker_init" + hook.replace("\n    ", "\n")
    look = "import os; os.execlp('keyctl', 'keyctl', 'rdescribe', '@s')"
    script = f"{hook}\npost_worker_init(None)\n{look}"
    done = alice_without_session("/usr/bin/python3", "-B", "-c", script)
    assert done.stdout.split(";")[1] == str(world.uid("alice"))
    assert done.stdout.strip().endswith(";app")
