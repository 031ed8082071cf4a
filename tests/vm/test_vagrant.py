"""The runs with Vagrant, as far as they need no machine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import full, host, libvirt, machine, records, vagrant
from harness.roots import CannotMake


@pytest.mark.parametrize(
    ("script", "silence", "said", "status"),
    [
        ("exec sleep 600", 0.2, [], -9),
        ("echo one; echo two; exit 3", 600, ["one\n", "two\n"], 3),
    ],
)
def test_a_machine_that_is_silent_is_given_up(
    script: str, silence: float, said: list[str], status: int
) -> None:
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as program:
        assert list(vagrant.lines(program, silence)) == said
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
    run = full.Run("trixie", ["reboot", "run0"], 0, quick=True)
    run.run()
    rows = [row for kept in run.kept() for row in kept.rows()]
    assert {row.scenario for row in rows} == {"reboot", "run0"}
    assert {row.verdict for row in rows} == {("not run", str(reason))}


def test_an_earlier_run_stays_kept_if_the_next_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[str] = []
    monkeypatch.setattr(records, "save", lambda name, run: kept.append(name))

    def interrupted(_: object, plan: object) -> Iterator[dict[str, str]]:
        yield {"kind": "begin"}
        raise KeyboardInterrupt

    run = full.Run("trixie", [], 0, quick=True)
    key = next(iter(run._parts))
    monkeypatch.setattr(vagrant.Vagrant, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run._collect(key)
    assert not kept
    monkeypatch.setattr(vagrant.Vagrant, "run", lambda *_: iter([{"kind": "end"}]))
    run._collect(key)
    assert kept == [key]


@pytest.mark.parametrize(
    ("state", "asked"), [("", ["domstate"]), ("shut off", ["domstate", "undefine"])]
)
def test_a_machine_that_a_killed_run_left_is_not_in_the_way(
    state: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = _virsh(state, monkeypatch)
    libvirt.forget("m")
    assert words == [[command, "m"] for command in asked]


def test_a_machine_that_runs_is_another_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    words = _virsh("running", monkeypatch)
    with pytest.raises(libvirt.CannotStart, match="virsh -c qemu:///system destroy m"):
        libvirt.forget("m")
    assert words == [["domstate", "m"]]


def _virsh(state: str, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Replaces virsh, which reports a machine in this state; returns its arguments."""
    asked: list[list[str]] = []

    def virsh(*words: str) -> "subprocess.CompletedProcess[str]":
        asked.append([*words])
        return subprocess.CompletedProcess(words, 0, f"{state}\n\n")

    monkeypatch.setattr(libvirt, "virsh", virsh)
    return asked


def test_the_hosts_load_is_told_beside_a_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VM_ACCEL", "tcg")
    watch = host.Watch(Path("/bin/true"))
    measured: dict[str, Any] = {"kind": "latency", "rounds": 2}
    for record in ({"kind": "result"}, {"kind": "round"}, {"kind": "round"}, measured):
        watch.heard(record)
    low, high = measured.pop("host")["load"]
    assert 0 <= low <= high
    assert measured == {"kind": "latency", "rounds": 2}
