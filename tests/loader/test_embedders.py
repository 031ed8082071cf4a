"""C programs with a Python of their own, of any version, started and finalized at any time.

Each also runs with pam_keyinit: the results must be the same.
"""

import subprocess
from pathlib import Path

import pytest

from support import native, pythons, world
from support.drive import Driver
from support.journal import Journal

pytestmark = pytest.mark.privileged

OURS = "pam_pykeyinit.so"
SESSION = "open look close look end"
STEPS = {
    "loaded, and not begun": f"load {SESSION}",
    "begun before": f"init {SESSION} run finalize",
    "begun before, and never ended": f"init {SESSION} run",
    "begun before, with the GIL held": f"hold {SESSION} run finalize",
    "ended before": f"init finalize {SESSION}",
    "ended, and begun again": f"init run finalize {SESSION} init run {SESSION} run finalize",
    "ended between open and close": "init open look finalize close look end",
    "begun between open and close": "open look init run close look end run finalize",
    "begun between open and close, never ended": "open look hold run close look end run",
    "begun between close and end": "open look close look init run end run finalize",
    "begun after the end": f"{SESSION} init run finalize",
    "begun after the end, never ended": f"{SESSION} hold run",
    "begun after the end, and a session more": f"{SESSION} init run {SESSION} run finalize",
    "begun and ended after the end, and again": f"{SESSION} {'init run finalize ' * 3}{SESSION}",
    "a sub-interpreter is current": f"hold sub {SESSION} run unsub run finalize",
    "a sub-interpreter is current, never ended": f"hold sub {SESSION} run",
    "a sub-interpreter is current at the open": "hold sub open look unsub close look end run",
    "a sub-interpreter is current at the close": "hold open look sub close look unsub end run",
    "a sub-interpreter is current at the end": "hold open look close sub end run unsub run",
    "a sub-interpreter began after the open": f"open look hold sub run close look end {SESSION}",
}


def _run(module: str, library: str | Path, steps: str, driver: Driver) -> list[str]:
    """The output of the steps."""
    services = driver.services(s=f"session required {module} force revoke")
    program = driver.program.parent / "embed"
    run = subprocess.run(
        [program, library, services, "s", "alice", *steps.split()],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    return run.stdout.split()


@pytest.mark.parametrize("library", [str(native.LIBPYTHON), *pythons.libraries()])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_a_program_that_embeds_python(
    steps: str, library: str, driver: Driver, journal: Journal
) -> None:
    """It has its keyring, its Python works, and nothing is logged."""
    ours = _run(OURS, library, steps, driver)

    assert ours == _run(world.ORACLE, library, steps, driver)
    assert ours[:2] == ["0", str(world.uid("alice"))]
    assert not set(ours) - {"0", ours[1], "revoked"}
    assert [repr(line) for line in journal.ours()] == []
