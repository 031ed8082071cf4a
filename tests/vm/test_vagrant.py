"""The full way, as far as it needs no machine."""

import subprocess
import time
from pathlib import Path

import pytest

from harness import libvirt, machine, vagrant
from harness.roots import CannotMake


def test_a_machine_that_is_silent_is_given_up(tmp_path: Path) -> None:
    """Not before it has said what it has to say; and not at all where it ends by itself."""
    said = tmp_path / "said"
    for then, status in (("exit 3", 3), ("exec sleep 600", -9)):
        said.unlink(missing_ok=True)
        command = ["sh", "-c", f"echo one; echo two; : >{said}; {then}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            while not said.exists():  # however busy the machine is
                time.sleep(0.05)
            silence = 600 if status == 3 else 3
            assert list(vagrant.lines(program, silence)) == ["one\n", "two\n"]
        assert program.returncode == status


def test_patience_is_that_of_the_slowest_scenario() -> None:
    plan = {"patience": 90, "scenarios": [{}, {"patience": 600}]}
    assert machine.patience(plan) == machine.SILENCE + 600
    assert machine.patience({**plan, "scenarios": []}) == machine.SILENCE + 90


@pytest.mark.parametrize(
    "reason", [CannotMake("x"), libvirt.CannotStart("x"), subprocess.TimeoutExpired("x", 1)]
)
def test_a_suite_that_fails_is_not_run_and_says_why(
    reason: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And raises nothing: the other suites are run."""

    def fail(_: object) -> None:
        raise reason

    monkeypatch.setattr(vagrant.Vagrant, "make_box", fail)
    run = vagrant.Run("trixie", ["reboot", "run0"], 0, quick=True)
    run.run()
    rows = [row for kept in run.kept() for row in kept.rows()]
    assert {row.scenario for row in rows} == {"reboot", "run0"}
    assert {row.verdict for row in rows} == {("not run", str(reason))}
