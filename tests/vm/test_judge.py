"""The verdicts on the records of a machine: every kind of error is found."""

from typing import Any

import pytest

from harness.judge import Verdict, compare, judge

USERS = {"alice": [2001, 2101], "bob": [2002, 2102]}
SCENARIO: dict[str, Any] = {
    "name": "ssh-key",
    "user": "alice",
    "expect": {"session": "own", "after": "revoked", "keyrings": 1, "home": "/home/alice"},
}
SEEN = {
    "uid": [2001] * 4,
    "gid": [2101] * 4,
    "home": "/home/alice",
    "serial": 4711,
    "session": "keyring;2001;2101;3f030000;_ses",
    "links": ["keyring: _uid.2001 of 2001"],
    "request": "yes",
}
RECORD: dict[str, Any] = {
    "statuses": [0],
    "logins": 1,
    "seen": [SEEN],
    "after": ["revoked"],
    "remains": 0,
    "log": [],
    "said": "",
}


def seen(**change: Any) -> dict[str, Any]:
    return {**RECORD, "seen": [{**SEEN, **change}]}


def test_a_good_login_passes() -> None:
    assert judge(SCENARIO, "native", RECORD, USERS) == Verdict("pass")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({**RECORD, "logins": 0, "seen": [], "said": "Permission denied"}, "0 of 1 got in"),
        ({**RECORD, "after": ["live"]}, "afterwards the keyring is live"),
        ({**RECORD, "remains": 1}, "1 session keyrings are left"),
        ({**RECORD, "log": ["sshd: pam_pykeyinit(sshd:session): boom"]}, "boom"),
        ({**RECORD, "log": ["sshd: PAM unable to dlopen(x.so)"]}, "unable to dlopen"),
        (seen(session="keyring;0;0;3f030000;_ses"), "keyring;0;0"),
        (seen(session="keyring;2001;2001;3f030000;_ses"), "not keyring;2001;2101"),
        (seen(session="keyring;2001;65534;1f3f0000;_uid_ses.2001"), "_uid_ses"),
        (seen(links=[]), "the user keyring is not in it"),
        (seen(links=["keyring: _uid.0 of 0"]), "the user keyring is not in it"),
        (seen(request="no: Required key not available"), "request_key: no"),
        (seen(uid=[2001, 0, 2001, 2001]), "ids are"),
        (seen(home="/"), "home is /"),
        ({**RECORD, "seen": [SEEN, {**SEEN, "serial": 1}], "logins": 1}, "2 session keyrings"),
    ],
)
def test_what_is_wrong_is_found(record: dict[str, Any], why: str) -> None:
    verdict = judge(SCENARIO, "native", record, USERS)
    assert verdict.word == "FAIL"
    assert why in verdict.why


def test_what_could_not_be_run_is_no_pass() -> None:
    assert judge(SCENARIO, "native", {"not_run": "no atd"}, USERS) == Verdict("not run", "no atd")


def test_refusal_is_what_a_wrong_password_wants() -> None:
    scenario = {**SCENARIO, "expect": {"login": False}}
    nobody = {**RECORD, "logins": 0, "seen": [], "after": []}
    assert judge(scenario, "native", nobody, USERS).word == "pass"
    assert judge(scenario, "native", RECORD, USERS).word == "FAIL"


def test_a_breakage_wants_its_line_in_the_log() -> None:
    scenario = {**SCENARIO, "expect": {"log": {"native": "SyntaxError", "pam_python": ""}}}
    line = {**RECORD, "log": ["sshd: pam_pykeyinit: SyntaxError('x')"]}
    assert judge(scenario, "native", line, USERS).word == "pass"
    assert judge(scenario, "native", RECORD, USERS).word == "FAIL"
    assert judge(scenario, "pam_python", RECORD, USERS).word == "pass"
    assert judge(scenario, "pam_python", line, USERS).word == "FAIL"


def test_a_known_limit_is_no_pass() -> None:
    """Some releases have it and others do not: a successful login is judged as usual."""
    scenario = {**SCENARIO, "expect": {"log": {"native": ""}}, "limits": {"native": "dlopen"}}
    nobody = {**RECORD, "logins": 0, "seen": [], "after": []}
    assert judge(scenario, "native", nobody, USERS) == Verdict("locked out", "dlopen")
    assert judge(scenario, "native", RECORD, USERS).word == "pass"
    reported = {**RECORD, "log": ["sshd: pam_pykeyinit: x"]}
    assert judge(scenario, "native", reported, USERS).word == "FAIL"
    assert judge(scenario, "pam_python", nobody, USERS).word == "FAIL"


def test_others_keyrings_by_name() -> None:
    scenario = {**SCENARIO, "expect": {"session": "of bob", "request": False}}
    record = seen(session="keyring;2002;2102;3f030000;_ses", links=[], request="no: x")
    assert judge(scenario, "native", record, USERS).word == "pass"
    assert judge(scenario, "native", RECORD, USERS).word == "FAIL"


def test_serials_and_times_are_no_difference_from_pam_keyinit() -> None:
    ours = {**seen(serial=1), "seconds": 3.0}
    assert compare(SCENARIO, {**RECORD, "seconds": 1.0}, ours) == Verdict("pass")


@pytest.mark.parametrize(
    "ours",
    [
        {**RECORD, "after": ["live"]},
        {**RECORD, "statuses": [1]},
        {**RECORD, "logins": 0, "seen": []},
        seen(session="keyring;0;0;3f030000;_ses"),
        seen(links=[]),
        seen(request="no"),
        seen(gid=[0, 0, 0, 0]),
    ],
)
def test_a_difference_from_pam_keyinit_is_found_unless_wanted(ours: dict[str, Any]) -> None:
    assert compare(SCENARIO, RECORD, ours).word == "FAIL"
    assert compare({**SCENARIO, "differs": "on purpose"}, RECORD, ours).word == "pass"


def test_a_wanted_difference_that_is_not_there_is_found() -> None:
    assert compare({**SCENARIO, "differs": "on purpose"}, RECORD, RECORD).word == "FAIL"


def test_a_unit_that_is_not_kept_to_what_it_may_is_found() -> None:
    scenario = {**SCENARIO, "expect": {"confined": True}}
    kept = {"NoNewPrivs": 1, "Seccomp": 2, "CapBnd": 0xC0}
    assert judge(scenario, "native", seen(**kept), USERS) == Verdict("pass")
    for name in kept:
        verdict = judge(scenario, "native", seen(**{**kept, name: 0}), USERS)
        assert (verdict.word, verdict.why.split()[0]) == ("FAIL", name)
