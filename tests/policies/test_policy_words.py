"""The options of a PAM line that pam_keyinit does not know."""

from typing import Any

import pytest

from pam_pykeyinit import options
from pam_pykeyinit.policies import words

DEFAULTS = {
    "degrade": False,
    "grace": 0,
    "ignore_root": False,
    "link": ("user",),
    "minimum_uid": 0,
    "name": "",
    "quota_warn": 0,
    "refresh": False,
    "replace": False,
    "revoke": words.NEVER,
    "tag": False,
}


def _fields(policy: words.Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in policy.__slots__}


@pytest.mark.parametrize(
    ("word", "asked"),
    [
        ("name=%u-%U-%s-%%", {"name": "%u-%U-%s-%%"}),
        ("name=a=b", {"name": "a=b"}),
        ("link=none", {"link": ()}),
        ("link=user-session", {"link": ("user-session",)}),
        ("link=persistent,user,user", {"link": ("user", "persistent")}),
        ("revoke=never", {}),
        ("revoke=cred", {"revoke": words.AT_DELETE}),
        ("revoke=90", {"revoke": words.AT_CLOSE, "grace": 90}),
        ("revoke=90s", {"revoke": words.AT_CLOSE, "grace": 90}),
        ("revoke=10m", {"revoke": words.AT_CLOSE, "grace": 600}),
        ("revoke=2h", {"revoke": words.AT_CLOSE, "grace": 7200}),
        ("revoke=1d", {"revoke": words.AT_CLOSE, "grace": 86400}),
        ("revoke=2147483647", {"revoke": words.AT_CLOSE, "grace": 2**31 - 1}),
        ("minimum_uid=0", {}),
        ("minimum_uid=1000", {"minimum_uid": 1000}),
        ("minimum_uid=4294967294", {"minimum_uid": 2**32 - 2}),
        ("ignore_root", {"ignore_root": True}),
        ("on_error=fail", {}),
        ("on_error=degrade", {"degrade": True}),
        ("foreign=keep", {}),
        ("foreign=replace", {"replace": True}),
        ("tag", {"tag": True}),
        ("refresh", {"refresh": True}),
        ("quota_warn=80", {"quota_warn": 80}),
    ],
)
def test_a_word_sets_what_it_is_for_and_nothing_else(word: str, asked: dict[str, Any]) -> None:
    policy, wrong = words.read([word])
    assert _fields(policy) == {**DEFAULTS, **asked}
    assert wrong == ()


PLAIN_REVOKE = {"revoke": words.AT_CLOSE}  # a bad value still revokes


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("name= name name=%q name=100% name=%%%", {}),
        ("link= link link=User link=user, link=none,user link=us", {}),
        (
            "revoke= revoke=0 revoke=0s revoke=s revoke=-1 revoke=1.5 revoke=5w revoke=10M"
            " revoke=close revoke=2147483648 revoke=35791395m revoke=\u0663 revoke=\xb2"
            " revoke=1_0 revoke=+5 revoke=99999999999999999999",
            PLAIN_REVOKE,
        ),
        ("minimum_uid= minimum_uid minimum_uid=-1 minimum_uid=x minimum_uid=4294967295", {}),
        ("on_error= on_error on_error=Degrade on_error=ignore", {}),
        ("foreign= foreign foreign=yes", {}),
        ("quota_warn= quota_warn quota_warn=0 quota_warn=101 quota_warn=80%", {}),
    ],
)
def test_a_bad_value_is_named_and_the_default_is_used(line: str, instead: dict[str, Any]) -> None:
    for word in line.split():
        policy, wrong = words.read([word])
        assert _fields(policy) == {**DEFAULTS, **instead}, word
        (line,) = wrong
        assert line.startswith(f"{word}: must be "), line


def test_a_bad_value_takes_back_a_good_one_before_it() -> None:
    bad = "name=% link=x revoke=x minimum_uid=x on_error=x foreign=x quota_warn=x"
    good = "name=a link=none revoke=9 minimum_uid=9 on_error=degrade foreign=replace quota_warn=9"
    policy, wrong = words.read(f"{good} {bad}".split())
    assert _fields(policy) == {**DEFAULTS, **PLAIN_REVOKE}
    assert len(wrong) == len(bad.split())


@pytest.mark.parametrize(
    ("line", "revoke", "grace"),
    [
        ("revoke revoke=never", False, 0),
        ("revoke=never revoke", True, 0),
        ("revoke=10 revoke", True, 0),
        ("revoke revoke=10", True, 10),
        ("revoke=cred tag", True, 0),
        ("tag", False, 0),
        ("tag revoke", True, 0),
    ],
)
def test_the_last_word_on_revoking_holds(line: str, revoke: bool, grace: int) -> None:
    asked = options.parse(line.split())
    assert asked.policy
    assert (asked.revoke, asked.policy.grace) == (revoke, grace)


def test_pam_keyinits_words_hold_beside_the_others() -> None:
    asked = options.parse(["force", "tag", "debug", "nosuch"])
    assert (asked.debug, asked.force, asked.revoke) == (True, True, False)
    assert asked.wrong == ("unknown option: nosuch",)
    assert asked.policy
    assert asked.policy.tag


@pytest.mark.parametrize(
    ("line", "uid", "left_out"),
    [
        ("ignore_root", 0, True),
        ("ignore_root", 1, False),
        ("minimum_uid=1000", 999, True),
        ("minimum_uid=1000", 0, True),
        ("minimum_uid=1000", 1000, False),
        ("tag", 0, False),
    ],
)
def test_whose_sessions_are_left_out(line: str, uid: int, left_out: bool) -> None:
    policy, _ = words.read(line.split())
    assert policy.leaves_out(uid) is left_out
