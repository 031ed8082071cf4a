"""The tables of scenarios: they are valid, and an invalid table is refused with a reason."""

import errno
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import fast, outcome, plan, records, roots
from harness.suites import SUITES
from support.child import in_child

GOOD = """
[[scenario]]
name = "a"
title = "A"
way = "ssh"
service = "sshd"
user = "alice"
expect = { session = "own" }
"""
USERS = {"alice", "bob", "carol", "dave", "erin", "frank", "nobody-of-that-name"}


def load(text: str, folder: Path) -> list[plan.Scenario]:
    (folder / "1-some.toml").write_text(text)
    return plan.load(folder)


def test_the_tables_of_this_tree_can_be_used() -> None:
    scenarios = plan.load()
    assert len(scenarios) > 40
    assert {scenario["user"] for scenario in scenarios} <= USERS


@pytest.mark.parametrize("field", ["before", "afterwards", "through", "job"])
def test_what_a_shell_is_given_is_shell(field: str) -> None:
    for scenario in plan.load():
        if field in scenario:
            done = subprocess.run(["sh", "-n"], input=scenario[field], text=True, check=False)
            assert done.returncode == 0, scenario["name"]


def test_every_breakage_is_tried_by_sshd_and_by_login_and_wants_a_line() -> None:
    broken = [s for s in plan.load() if s["group"] == "lockout"]
    assert {s["service"] for s in broken} == {"sshd", "login"}
    for scenario in broken:
        assert set(scenario["limits"]) <= set(scenario["loaders"]), scenario["name"]
        assert set(scenario["loaders"]) <= set(scenario["expect"]["log"]), scenario["name"]


def test_pam_python_is_never_put_into_set_user_id_programs() -> None:
    for scenario in plan.load():
        if scenario["service"] in ("su", "su-l", "sudo", "sudo-i"):
            assert "pam_python" not in scenario["loaders"], scenario["name"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("way =", "wy ="), "lacks way"),
        (('user = "alice"', 'user = "alice"\nperson = "bob"'), "no such field: person"),
        (('"ssh"', '"telnet"'), "the way is one of"),
        (("session =", "keys ="), "cannot be judged"),
        (('{ session = "own" }', "{}"), "cannot be judged"),
        (("user =", 'loaders = ["pam_kryinit"]\nuser ='), "no such loader: pam_kryinit"),
    ],
)
def test_a_bad_table_is_refused(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    assert [s["name"] for s in load(GOOD, tmp_path)] == ["a"]
    with pytest.raises(plan.BadTable, match=words):
        load(GOOD.replace(*change), tmp_path)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(plan.BadTable, match="two scenarios"):
        load(GOOD + GOOD, tmp_path)


def test_choosing_by_name_group_and_place(tmp_path: Path) -> None:
    scenarios = load(GOOD + GOOD.replace('"a"', '"b"\nwhere = "vagrant"'), tmp_path)
    assert [s["name"] for s in plan.chosen(scenarios, "fast", [])] == ["a"]
    assert [s["name"] for s in plan.chosen(scenarios, "vagrant", ["some"])] == ["a", "b"]
    assert plan.chosen(scenarios, "fast", [], quick=True) == []
    with pytest.raises(plan.BadTable, match="nonesuch"):
        plan.chosen(scenarios, "fast", ["nonesuch"])


def test_what_never_ran_is_reported_as_not_run(tmp_path: Path) -> None:
    scenarios = load(GOOD, tmp_path)
    reported = {"loaders": list(plan.LOADERS), "scenarios": scenarios}
    rows = outcome.rows("trixie", reported, [])
    assert [row.verdict.word for row in rows] == ["not run"] * 3
    said = [{"kind": "begin", "scenario": "a", "loader": "native"}]
    rows = outcome.rows("trixie", reported, said)
    assert [row.verdict.why for row in rows if row.loader == "native"] == [
        "the machine stopped in it"
    ]


def test_what_was_kept_gives_the_same_rows(tmp_path: Path) -> None:
    reported = {"loaders": ["native"], "scenarios": load(GOOD, tmp_path)}
    said = [{"kind": "begin", "scenario": "a", "loader": "native"}]
    kept = records.Kept("trixie", "2026-01-02", reported, said, "interrupted")
    records.save("trixie", kept, tmp_path)
    assert records.load(tmp_path) == [kept]
    assert records.load(tmp_path)[0].rows() == kept.rows()
    assert kept.rows()[0].verdict.why == "interrupted"


def test_a_latency_that_was_not_measured_is_told(tmp_path: Path) -> None:
    reported = {"loaders": [], "scenarios": [], "latency": 30}
    assert [row.verdict.word for row in outcome.rows("trixie", reported, [])] == ["not run"]
    measured = {"kind": "latency", "rounds": 30}
    assert outcome.rows("trixie", reported, [measured]) == []
    kept = records.Kept("trixie", "2026-01-02", reported, [measured])
    records.save_latency("trixie", kept, tmp_path)
    assert records.load(tmp_path)[0].latency() == measured


def test_the_quick_ones_have_of_everything() -> None:
    quick = plan.chosen(plan.load(), "fast", [], quick=True)
    assert {s["group"] for s in quick} == {"logins", "refused", "helper", "lockout"}
    assert len(quick) < len(plan.load()) / 2
    slow = plan.chosen(plan.load(), "vagrant", [], quick=True)
    assert {s["group"] for s in slow} == {"logins", "refused", "helper", "systemd"}


def test_only_a_whole_run_of_the_same_plan_and_code_is_not_run_again(tmp_path: Path) -> None:
    reported = {"loaders": ("native",), "scenarios": load(GOOD, tmp_path)}
    end = [{"kind": "end"}]
    good = records.Kept("trixie", "2026-01-02", reported, end, "", "abc")
    assert records.earlier("trixie", tmp_path) is None
    records.save("trixie", good, tmp_path)
    kept = records.earlier("trixie", tmp_path)
    assert kept
    assert kept.repeats(good)
    assert not kept.repeats(good._replace(code="abd"))
    assert not kept.repeats(good._replace(plan={**reported, "latency": 30}))
    assert not good._replace(records=[]).repeats(good)
    assert not good._replace(ended="interrupted").repeats(good)
    assert records.all_earlier({"trixie": good}, tmp_path) == {"trixie": kept}
    assert records.all_earlier({"trixie": good, "sid": good}, tmp_path) is None


def test_what_was_run_is_named_by_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    code = roots.code()
    assert roots.code() == code
    monkeypatch.setattr(roots, "BUILT_FROM", (*roots.BUILT_FROM, "LICENSE"))
    assert roots.code() != code


def test_a_build_ends_with_us(tmp_path: Path) -> None:
    """Ctrl-C during a build leaves no process of it."""
    child = tmp_path / "child"

    def interrupt(*_: object) -> None:
        if child.exists() and child.read_text():
            signal.setitimer(signal.ITIMER_REAL, 0)  # one Ctrl-C
            raise KeyboardInterrupt

    def build() -> None:
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        with pytest.raises(KeyboardInterrupt):
            roots._run(["sh", "-c", f"sleep 600 & echo $! >{child}; wait"], tmp_path / "log")
        signal.setitimer(signal.ITIMER_REAL, 0)

    in_child(build)  # in its main thread: only that handles signals
    for _ in range(600):  # a signal takes a moment
        if not runs(int(child.read_text())):
            return
        time.sleep(0.05)
    os.kill(int(child.read_text()), signal.SIGKILL)
    pytest.fail("what it had started goes on")


def test_a_build_of_another_thread_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(roots, "_stopped", threading.Event())
    statuses: list[int] = []
    command = ["sh", "-c", "echo begun; sleep 600"]
    thread = threading.Thread(
        target=lambda: statuses.append(roots._run(command, tmp_path / "log"))
    )
    thread.start()
    while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
        time.sleep(0.05)
    roots.stop()
    thread.join(60)
    # The next one, which a thread may be about to start.
    statuses.append(roots._run(command, tmp_path / "log"))
    assert statuses == [-signal.SIGTERM] * 2


def test_a_run_is_waited_for_after_ctrl_c(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its machine and its files are gone only when its thread has ended."""
    command = ["sh", "-c", "exec sleep 600"]

    def interrupted() -> None:
        run = fast.Run(SUITES["trixie"], [], 0, whole=False)
        monkeypatch.setattr(run, "_make_and_boot", lambda: roots._run(command, tmp_path / "log"))
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            run.start()
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(KeyboardInterrupt):
                run.wait()
            assert run._thread.is_alive()
        finally:
            run.stop()
        assert not run._thread.is_alive()

    in_child(interrupted)


def runs(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_earlier_run_stays_kept_if_the_next_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[str] = []
    monkeypatch.setattr(records, "save", lambda name, run: kept.append(name))
    for interrupted in (True, False):
        run = fast.Run(SUITES["trixie"], [], 0, whole=True)
        if interrupted:
            run.stop()
        monkeypatch.setattr(run._machine, "run", lambda: [{"kind": "begin"}])
        run._make_and_boot()
        assert kept == ([] if interrupted else ["trixie"])


def test_a_run_is_kept_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = records.Kept("trixie", "2026-01-02", {}, [{"kind": "end"}])
    records.save("trixie", good, tmp_path)

    def cut(file: Path, text: str) -> None:
        with file.open("w") as some:
            some.write(text[: len(text) // 2])
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(OSError, match="the disk is full"):
        records.save("trixie", good._replace(date="2026-01-03"), tmp_path)
    assert records.load(tmp_path) == [good]
