"""Judge a login: compare it with the expectation, and with pam_keyinit's.

Pure.  What a scenario may expect:
  login     whether the login succeeds (default true)
  session   "own": a session keyring as pam_keyinit(8) makes it, with the user keyring in it;
            "user-session": user-session-keyring(7); "of NAME": that of another user, kept;
            "denied": one that the user may not look at
  request   whether request_key(2) finds a key of the user (default true)
  after     its state after the logout: "revoked", "gone" or "live"
  keyrings  the number of different session keyrings
  home      the working folder
  label     the SELinux label of the session keyring: "own" for that of the login's processes, or
            the type of another
  confined  true: no new privileges, no capability but to change ids, and a filter of system calls
  log       for each loader, what a line of the log must match; "" for no line of ours
"""

import re
from typing import Any, NamedTuple

Record = dict[str, Any]
Users = dict[str, list[int]]

# Lines of our module, or of libpam about it: a correct login has none.
OURS = re.compile(r"pam_pykeyinit|PAM unable|PAM adding faulty|Traceback")

# The limits of the unit in conf/systemd, as in proc(5); CAP_SETGID is 6, CAP_SETUID 7.
CONFINED = {"NoNewPrivs": 1, "Seccomp": 2, "CapBnd": 0xC0}

# What a login sees of its session keyring, to compare modules.
COMPARED = ("uid", "gid", "home", "session", "links", "request", "label")


class Verdict(NamedTuple):
    """`word` is "pass", "FAIL", "locked out" or "not run"; `why` is empty for a pass.

    "locked out" is a known limit, with the reason.
    """

    word: str
    why: str = ""


def judge(scenario: Record, loader: str, record: Record, users: Users) -> Verdict:
    """Judge one observation."""
    if "not_run" in record:
        return Verdict("not run", record["not_run"])
    limit = scenario.get("limits", {}).get(loader)
    if limit and not record["logins"]:
        return Verdict("locked out", limit)
    problems = _problems(scenario, loader, record, users)
    return Verdict("FAIL", "; ".join(problems)) if problems else Verdict("pass")


def _problems(scenario: Record, loader: str, record: Record, users: Users) -> list[str]:
    expect = scenario["expect"]
    wanted = scenario.get("times", 1) if expect.get("login", True) else 0
    problems = []
    if record["logins"] != wanted:
        said = " ".join(record.get("said", "").split())[-200:]
        problems.append(f"{record['logins']} of {wanted} got in ({said})")
    problems += _log(expect.get("log", {}).get(loader, ""), record["log"])
    if record["remains"]:
        problems.append(f"{record['remains']} session keyrings are left behind")
    for seen in record["seen"] if looks_inside(scenario) else []:
        problems += _inside(scenario, seen, users) + _label(expect.get("label"), seen)
    for after in record["after"]:
        if after != expect.get("after", after):
            problems.append(f"afterwards the keyring is {after}, not {expect['after']}")
    if "keyrings" in expect and distinct(record) != expect["keyrings"]:
        problems.append(f"{distinct(record)} session keyrings, not {expect['keyrings']}")
    return sorted(set(problems))


def _log(wanted: str, lines: list[str]) -> list[str]:
    if wanted:
        matched = any(re.search(wanted, line) for line in lines)
        return [] if matched else [f"no line of the log matches {wanted!r}: {lines}"]
    return [f"logged: {line}" for line in lines if OURS.search(line)]


def looks_inside(scenario: Record) -> bool:
    """Whether it expects more than a login and a line of the log."""
    return set(scenario["expect"]) != {"log"}


def _inside(scenario: Record, seen: Record, users: Users) -> list[str]:
    expect, user = scenario["expect"], scenario["user"]
    uid, gid = users[user]
    problems = []
    if seen.get("uid") != [uid] * 4 or seen.get("gid") != [gid] * 4:
        problems.append(f"ids are {seen.get('uid')} {seen.get('gid')}")
    session, kind = seen.get("session", "none"), expect.get("session", "")
    wanted = session
    if kind == "own":
        wanted = f"keyring;{uid};{gid};3f030000;_ses"
        if f"keyring: _uid.{uid} of {uid}" not in seen["links"]:
            problems.append(f"the user keyring is not in it: {seen['links']}")
    elif kind == "user-session":
        wanted = f"keyring;{uid};65534;1f3f0000;_uid_ses.{uid}"
    elif kind == "denied":
        wanted = "keyctl_describe: Permission denied"
    elif kind.startswith("of "):
        other = users[kind[3:]]
        wanted = f"keyring;{other[0]};{other[1]};3f030000;_ses"
    if session != wanted:
        problems.append(f"the session keyring is {session}, not {wanted}")
    if (seen.get("request") == "yes") != expect.get("request", True):
        problems.append(f"request_key: {seen.get('request')}")
    if seen.get("home") != expect.get("home", seen.get("home")):
        problems.append(f"home is {seen.get('home')}")
    return problems + (_limits(seen) if expect.get("confined") else [])


def _limits(seen: Record) -> list[str]:
    return [
        f"{name} is {seen.get(name)}, not {wanted}"
        for name, wanted in CONFINED.items()
        if seen.get(name) != wanted
    ]


def _label(wanted: str | None, seen: Record) -> list[str]:
    label, context = seen.get("label", ""), seen.get("context", "")
    right = label == context if wanted == "own" else label.split(":")[2:3] == [wanted]
    if wanted is None or (label and right):
        return []
    return [f"the label of the keyring is {label}, not {wanted}, and that of the login {context}"]


def distinct(record: Record) -> int:
    """The number of different session keyrings."""
    return len({seen.get("serial") for seen in record["seen"]})


def plain(record: Record) -> Record:
    """A record without what differs between logins, to compare modules."""
    seen = [{key: one.get(key) for key in COMPARED} for one in record["seen"]]
    return {
        "logins": record["logins"],
        "statuses": sorted(record["statuses"]),
        "seen": sorted(seen, key=str),
        "after": sorted(record["after"]),
        "remains": record["remains"],
        "keyrings": distinct(record),
    }


def compare(scenario: Record, theirs: Record, ours: Record) -> Verdict:
    """Compare ours with pam_keyinit's: the same, unless the scenario expects a difference."""
    if "not_run" in theirs or "not_run" in ours:
        return Verdict("pass")  # nothing to compare; each has its own verdict
    a, b = plain(theirs), plain(ours)
    different = sorted(key for key in a if a[key] != b[key])
    if bool(different) == bool(scenario.get("differs")):
        return Verdict("pass")
    if not different:
        return Verdict("FAIL", f"as pam_keyinit's, though it should differ: {scenario['differs']}")
    words = "; ".join(f"{key}: {b[key]}, pam_keyinit {a[key]}" for key in different)
    return Verdict("FAIL", f"not as pam_keyinit: {words}")
