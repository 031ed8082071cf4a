"""Machines with SELinux: what boots them, the order of the lines, and the verdict on a label."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keyrings
import pytest
import stacks

from harness import __main__ as main
from harness import judge, plan, report, roots
from harness.suites import SELINUX, SUITES, with_selinux
from support.pam_folder import DISTRIBUTIONS

USER = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023"
SSHD = "system_u:system_r:sshd_t:s0-s0:c0.c1023"
SCRIPT = Path(stacks.__file__).with_name("selinux.sh")


def test_its_machine_has_the_policy_and_a_table() -> None:
    suite = with_selinux("trixie")
    assert suite.boot.split()[0] == "security=selinux"
    assert suite.packages == SELINUX
    assert main.place_of(suite.name) == report.SELINUX
    assert main.place_of("trixie") == report.FAST
    text = (roots.TREE / "docs/logins.md").read_text()
    assert text.count(report.SELINUX) == 1


def test_other_machines_are_as_before() -> None:
    assert all(not suite.packages and not suite.boot for suite in SUITES.values())
    places = [roots.Parts(suite)._base for suite in (SUITES["trixie"], with_selinux("trixie"))]
    assert places[0] != places[1]
    assert "selinux" not in {s["group"] for s in plan.chosen(plan.load(), "fast", [])}


def test_all_its_scenarios_expect_a_label_and_can_be_left_out() -> None:
    scenarios = plan.chosen(plan.load(), "selinux", ["selinux"])
    assert len(scenarios) > 5
    for scenario in scenarios:
        assert scenario["where"] == "selinux"
        confined = scenario["name"] == "selinux-ssh-before-confined"  # who may not see it
        assert ("label" in scenario["expect"]) != confined
        assert scenario["before"]  # where SELinux is not on, it fails: "not run"
    quick = plan.chosen(plan.load(), "selinux", ["selinux"], quick=True)
    assert [s["name"] for s in quick] == ["selinux-ssh-after", "selinux-login-after"]


@pytest.mark.parametrize(
    "words", [["--selinux"], ["--selinux", "--matrix"], ["--fast", "--selinux", "--arch", "s390x"]]
)
def test_what_it_cannot_be_combined_with(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["vm", *words])
    with pytest.raises(SystemExit):
        main.arguments()
    assert "--selinux is for --fast" in capsys.readouterr().err


def test_a_probe_tells_the_label_and_the_context() -> None:
    seen = keyrings.parse(f"context {USER}\nlabel {SSHD}\n")
    assert (seen["context"], seen["label"]) == (USER, SSHD)


@pytest.mark.parametrize(
    ("wanted", "label", "context", "right"),
    [
        ("own", USER, USER, True),
        ("own", SSHD, USER, False),
        ("sshd_t", SSHD, USER, True),
        ("sshd_t", USER, USER, False),
        ("sshd_t", SSHD.replace("sshd_t", "crond_t"), USER, False),
        ("sshd_t", "", "", False),
        ("own", "", "", False),
    ],
)
def test_the_verdict_on_a_label(wanted: str, label: str, context: str, right: bool) -> None:
    scenario = {"user": "alice", "expect": {"request": True, "label": wanted}}
    seen = {"uid": [1] * 4, "gid": [2] * 4, "request": "yes", "label": label, "context": context}
    record: dict[str, Any] = {"logins": 1, "seen": [seen], "after": [], "remains": 0, "log": []}
    verdict = judge.judge(scenario, "native", record, {"alice": [1, 2]})
    assert verdict.word == ("pass" if right else "FAIL")
    assert ("label" in verdict.why) != right


def test_a_label_that_is_not_pam_keyinits_is_found() -> None:
    record = {"logins": 1, "statuses": [0], "after": [], "remains": 0}
    theirs, ours = ({**record, "seen": [{"label": label}]} for label in (USER, SSHD))
    assert judge.compare({}, theirs, theirs).word == "pass"
    assert judge.compare({}, theirs, ours).word == "FAIL"


@pytest.mark.privileged
@pytest.mark.parametrize("loader", stacks.LOADERS)
@pytest.mark.parametrize("service", ["sshd", "login", "su-l"])
@pytest.mark.parametrize(("order", "kept"), [("first", 1), ("last", -1)])
def test_the_order_of_the_lines(
    order: str, kept: int, service: str, loader: str, tmp_path: Path
) -> None:
    """In folders of its own: of services, of root, and of a kernel with SELinux."""
    text = (DISTRIBUTIONS / "debian-13/etc/pam.d" / service).read_text()
    text = text.replace("pam_keyinit.so", stacks.LOADERS[loader])
    ours = shutil.copy(SCRIPT, tmp_path)  # the tree can be below /root
    script = f"""mount -t tmpfs none /root; mount -t tmpfs none /etc/pam.d
        mount -t tmpfs none /sys; cat >/etc/pam.d/{service}
        ! {ours} {order} {service} >{tmp_path}/off
        mkdir -p /sys/fs/selinux; : >/sys/fs/selinux/enforce
        {ours} {order} {service}; cp /etc/pam.d/{service} {tmp_path}/changed
        {ours} back {service}; cp /etc/pam.d/{service} {tmp_path}/back"""
    unshare = ["unshare", "--mount", "--propagation", "unchanged"]  # also in a chroot
    subprocess.run([*unshare, "sh", "-euc", script], input=text, text=True, check=True)
    assert (tmp_path / "off").read_text() == "SELinux is not on\n"
    assert (tmp_path / "back").read_text() == text
    rows = (tmp_path / "changed").read_text().splitlines()
    opens = rows.index("session required pam_selinux.so open")
    assert stacks.LOADERS[loader] in rows[opens + kept]
    others = [row for row in text.splitlines() if "pam_selinux.so open" not in row]
    assert [row for row in rows if "pam_selinux.so open" not in row] == others


@pytest.mark.parametrize(
    ("line", "label", "right"),
    [
        ("sshd: pam_pykeyinit(sshd:session): keyctl(LINK): EACCES: x", USER, True),
        ("sshd: pam_pykeyinit(sshd:session): keyctl(LINK): EACCES: x", SSHD, False),
        ("sshd: Accepted publickey", USER, False),
    ],
)
def test_a_line_of_the_log_and_a_label_are_both_looked_at(
    line: str, label: str, right: bool
) -> None:
    expect = {"request": False, "label": "own", "log": {"native": r"keyctl\(LINK\): EACCES"}}
    scenario = {"user": "alice", "expect": expect}
    seen = {"uid": [1] * 4, "gid": [2] * 4, "request": "no", "label": label, "context": USER}
    record: dict[str, Any] = {"logins": 1, "seen": [seen], "after": [], "remains": 0}
    verdict = judge.judge(scenario, "native", {**record, "log": [line]}, {"alice": [1, 2]})
    assert verdict.word == ("pass" if right else "FAIL")


def test_a_keyring_that_its_user_may_not_look_at() -> None:
    scenario = {"user": "alice", "expect": {"session": "denied", "request": False}}
    record: dict[str, Any] = {"logins": 1, "after": [], "remains": 0, "log": []}
    for session, word in (
        ("keyctl_describe: Permission denied", "pass"),
        ("keyring;1;2;3f030000;_ses", "FAIL"),
    ):
        seen = {"uid": [1] * 4, "gid": [2] * 4, "request": "no", "session": session}
        verdict = judge.judge(scenario, "native", {**record, "seen": [seen]}, {"alice": [1, 2]})
        assert verdict.word == word
