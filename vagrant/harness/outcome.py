"""One verdict for each scenario and loader from the records of a machine.  Pure."""

from typing import Any, NamedTuple

from harness.judge import Verdict, compare, judge

Record = dict[str, Any]
ORACLE = "pam_keyinit"
BY_VAGRANT = " (Vagrant)"  # what a suite's label ends with


class Row(NamedTuple):
    """One line of the table."""

    suite: str
    kernel: str
    python: str
    loader: str
    scenario: str
    title: str
    verdict: Verdict


def is_by_vagrant(label: str) -> bool:
    """Whether a suite's label is not of the fast path."""
    return label.endswith(BY_VAGRANT)


def spoken(result: Record) -> str:
    """A line of progress for one result, as it comes from a machine."""
    why = result.get("not_run") or f"{result['logins']} in, {result['seconds']} s"
    return f"{result['loader']}: {result['scenario']}: {why}"


def rows(suite: str, plan: Record, records: list[Record], ended: str = "") -> list[Row]:
    """A row for each planned scenario, also for those that did not run.

    `ended` says why there may be none, if the caller knows.
    """
    machine = next((r for r in records if r["kind"] == "machine"), {})
    results = {(r["scenario"], r["loader"]): r for r in records if r["kind"] == "result"}
    begun = {(r["scenario"], r["loader"]) for r in records if r["kind"] == "begin"}
    found = []
    for scenario in plan["scenarios"]:
        name = scenario["name"]
        for loader in scenario["loaders"]:
            if loader not in plan["loaders"]:
                continue
            result = results.get((name, loader))
            if result is None:
                hung = "the machine stopped in it" if (name, loader) in begun else "never begun"
                verdict = Verdict("not run", ended or hung)
            else:
                verdict = judge(scenario, loader, result, machine["users"])
                theirs = results.get((name, ORACLE))
                if verdict.word == "pass" and theirs and "log" not in scenario["expect"]:
                    verdict = compare(scenario, theirs, result)
            where = (suite, machine.get("kernel", "-"), machine.get("python", "-"))
            found.append(Row(*where, loader, name, scenario["title"], verdict))
    if plan.get("latency") and not any(r["kind"] == "latency" for r in records):
        verdict = Verdict("not run", ended or "the machine stopped before")
        where = (suite, machine.get("kernel", "-"), machine.get("python", "-"))
        found.append(Row(*where, "all", "latency", "login latency", verdict))
    return found
