"""One verdict for each scenario and loader from the records of a machine.  Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from harness.judge import Verdict, compare, judge, looks_inside

Record = dict[str, Any]
ORACLE = "pam_keyinit"
BY_VAGRANT = " (Vagrant)"  # the end of a suite's label


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
    """Whether a suite's label is of a run with Vagrant."""
    return label.endswith(BY_VAGRANT)


def spoken(result: Record) -> str:
    """A line of progress for one result of a machine."""
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
                if verdict.word == "pass" and theirs and looks_inside(scenario):
                    verdict = compare(scenario, theirs, result)
            where = (suite, machine.get("kernel", "-"), machine.get("python", "-"))
            found.append(Row(*where, loader, name, scenario["title"], verdict))
    where = (suite, machine.get("kernel", "-"), machine.get("python", "-"))
    for name, (title, judged) in ASIDE.items():
        if plan.get(name):
            said = next((r for r in records if r["kind"] == name), None)
            judgement = judged(said) if said else Verdict("not run", ended or STOPPED)
            if judgement:
                found.append(Row(*where, "all", name, title, judgement))
    return found


STOPPED = "the machine stopped before"


def _measured(_: Record) -> None:
    """Figures have no verdict."""


def _claims(said: Record) -> Verdict:
    """Every claim holds, or differs as is known."""
    if "wrong" in said:
        return Verdict("FAIL", said["wrong"])
    verdicts = [(name, *v) for page in said["verdicts"].values() for name, v in page.items()]
    words = [word for _, word, _ in verdicts]
    wrong = [f"{name}: {why}" for name, word, why in verdicts if word == "FAILED"]
    counts = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    return Verdict("FAIL", "; ".join(wrong)) if wrong else Verdict("pass", counts)


def _tests(said: Record) -> Verdict:
    """pytest's own."""
    if said["status"] == 0:
        return Verdict("pass", said["summary"])
    failed = [line for line in said["said"] if line.startswith(("FAILED ", "ERROR "))]
    return Verdict("FAIL", "; ".join([said["summary"], *failed]))


# What a machine is asked besides logins, by the kind of its record.
ASIDE: dict[str, tuple[str, Callable[[Record], Verdict | None]]] = {
    "latency": ("login latency", _measured),
    "claims": ("claims of the manual pages", _claims),
    "tests": ("tests of the core", _tests),
}
