"""Read scenarios from their tables, check them, and make the plan for a machine."""

import tomllib
from pathlib import Path
from typing import Any

Scenario = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "scenarios"
LOADERS = ("pam_keyinit", "native", "pam_python")
WAYS = ("ssh", "command", "serial", "cron", "at", "inetd")
WANTED = {"name", "title", "way", "service", "user", "expect"}
KNOWN = {
    *WANTED, "loaders", "where", "times", "at_once", "left", "grace", "before", "afterwards",
    "differs", "auth", "password", "port", "tty", "master", "argv", "typed",
    "by", "line", "end", "job", "through", "come_as", "quick", "limits", "patience", "group",
}  # fmt: skip
EXPECTED = {"login", "session", "request", "after", "keyrings", "home", "confined", "label", "log"}

# How a breakage is tried: one login with sshd, and one with login(1).
DENIED_SSHD = "/vm/deny.py EPERM /usr/sbin/sshd -p 2222 -o PidFile=/run/denied.pid"
THROUGH: dict[str, Scenario] = {
    "sshd": {"way": "ssh", "service": "sshd", "user": "alice"},
    "login": {
        "way": "command",
        "argv": ["login"],
        "typed": [["login:", "{user}\n"], ["assword:", "secret\n"], ["$", "{probe}; exit\n"]],
        "service": "login",
        "user": "alice",
    },
}


class BadTable(Exception):
    """A table of scenarios is invalid; str() is the reason."""


def load(folder: Path = FOLDER) -> list[Scenario]:
    """All scenarios, in the order of the files' names; raises BadTable."""
    scenarios: list[Scenario] = []
    for file in sorted(folder.glob("*.toml")):
        table = tomllib.loads(file.read_text())
        group = file.stem.partition("-")[2]
        for scenario in table.get("scenario", []):
            scenarios.append(completed({"group": group, **scenario}))
        for breakage in table.get("breakage", []):
            for service in THROUGH:
                scenarios.append(completed({"group": group, **tried(breakage, service)}))
    names = [scenario["name"] for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise BadTable(f"two scenarios have the name {name!r}")
    return scenarios


def tried(breakage: Scenario, service: str) -> Scenario:
    """A breakage as a scenario: logins by this service succeed, and the log has the reason."""
    scenario: Scenario = {**THROUGH[service]}
    if breakage.get("denied"):
        if service == "sshd":
            scenario |= {
                "port": 2222,
                "before": DENIED_SSHD,
                "afterwards": "kill $(cat /run/denied.pid)",
            }
        else:
            scenario["argv"] = ["/vm/deny.py", "EPERM", *scenario["argv"]]
    for field in ("before", "afterwards", "quick"):
        if field in breakage:
            scenario[field] = breakage[field]
    log = breakage["log"]
    return scenario | {
        "name": f"{breakage['name']}-{service}",
        "title": f"{breakage['title']}, {service}",
        "loaders": breakage.get("loaders", list(log)),
        "left": False,
        "limits": breakage.get("limits", {}),
        "expect": {"log": log},
    }


def completed(scenario: Scenario) -> Scenario:
    """Add the defaults; raises BadTable for missing or unknown fields."""
    name = scenario.get("name", "?")
    missing = WANTED - set(scenario)
    if missing:
        raise BadTable(f"scenario {name!r} lacks {', '.join(sorted(missing))}")
    unknown = set(scenario) - KNOWN
    if unknown:
        raise BadTable(f"scenario {name!r}: no such field: {', '.join(sorted(unknown))}")
    if scenario["way"] not in WAYS:
        raise BadTable(f"scenario {name!r}: the way is one of {', '.join(WAYS)}")
    unknown = set(scenario["expect"]) - EXPECTED
    if unknown or not scenario["expect"]:
        raise BadTable(f"scenario {name!r} expects what cannot be judged: {scenario['expect']}")
    unknown = set(scenario.get("loaders", [])) - set(LOADERS)
    if unknown:
        raise BadTable(f"scenario {name!r}: no such loader: {', '.join(sorted(unknown))}")
    return {"loaders": list(LOADERS), "where": "both", **scenario}


def chosen(
    scenarios: list[Scenario], where: str, names: list[str], *, quick: bool = False
) -> list[Scenario]:
    """The scenarios of a place; only these names or groups, if any; or only the quick ones."""
    unknown = set(names) - {s["name"] for s in scenarios} - {s["group"] for s in scenarios}
    if unknown:
        listed = ", ".join(sorted(unknown))
        raise BadTable(f"no scenario and no group of them has the name {listed}")
    return [
        scenario
        for scenario in scenarios
        if scenario["where"] in (("both", where) if where != "reboot" else (where,))
        and (not names or {scenario["name"], scenario["group"]} & set(names))
        and (not quick or scenario.get("quick") in (True, where))
    ]
