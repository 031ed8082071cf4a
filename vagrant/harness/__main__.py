"""What ./setup vm runs."""

import argparse
import datetime
import json
import sys

from harness import plan, report
from harness.fast import Run
from harness.roots import BUILD, TREE
from harness.suites import SUITES

ROUNDS = 30  # logins for each module, to tell its median from another's


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./setup vm", description="Real logins, on machines.")
    parser.add_argument("--fast", action="store_true", help="small machines without systemd")
    parser.add_argument("--matrix", action="store_true", help="all suites; writes README's table")
    parser.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="this scenario, or group of them")  # fmt: skip
    parser.add_argument("--latency", type=int, default=0, metavar="N",
                        help="also measure N logins with each module")  # fmt: skip
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    asked = parser.parse_args()
    unknown = set(asked.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    return asked


def main() -> int:
    """Run; the exit status is 1 if anything failed or could not be run."""
    asked = arguments()
    suites = asked.suites or (list(SUITES) if asked.matrix else ["bookworm", "trixie"])
    scenarios = plan.chosen(plan.load(), "fast", asked.only)
    latency = asked.latency or (ROUNDS if asked.matrix else 0)
    BUILD.mkdir(parents=True, exist_ok=True)
    runs = [Run(name, scenarios, latency) for name in suites]
    for pair in (runs[i : i + 2] for i in range(0, len(runs), 2)):  # two at a time
        for run in pair:
            run.start()
        for run in pair:
            run.wait()
    rows = [row for run in runs for row in run.rows]
    for run in runs:
        records = "".join(json.dumps(record) + "\n" for record in run.records)
        (BUILD / f"results-{run.suite.name}.jsonl").write_text(records)
    print(report.listing(rows))
    for run in runs:
        if run.latency:
            print(f"login latency, {run.suite.name}: {report.spoken(run.latency)}")
    if asked.matrix:
        figures = {run.suite.name: run.latency for run in runs if run.latency}
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        report.put(TREE / "README.md", report.markdown(rows, figures, date, version()))
    print(report.counts(rows))
    return 0 if rows and all(row.verdict.word == "pass" for row in rows) else 1


def version() -> str:
    """The version of this tree."""
    text = (TREE / "pam_pykeyinit/__init__.py").read_text()
    return text.partition('__version__ = "')[2].partition('"')[0]


if __name__ == "__main__":
    sys.exit(main())
