"""What ./setup vm runs.

    ./setup vm [SUITE...]           by Vagrant: box if needed, up, scenarios, report, destroy
    ./setup vm --fast [SUITE...]    root file systems as initramfs: seconds to boot, no systemd
    ./setup vm --fast --arch ARCH [SUITE...]
                                    the same, of another processor, which is emulated
    ./setup vm --fast --selinux [SUITE...]
                                    the same, with SELinux on: the labels of keyrings
    ./setup vm --matrix [SUITE...]  both, all suites; writes docs/logins.md.  What was run
                                    already, to its end and with this code, is not run again,
                                    unless with --again; one that fails does not stop the others
    ./setup vm --report             no run: docs/logins.md from the results of earlier runs; of
                                    suites without results there it stays as it is
    ./setup vm box [SUITE]          only the box, for `cd vagrant && vagrant up`

Exit status: 0 if all passed or is a known limit, 1 if anything failed or could not be run,
2 for wrong usage.
"""

import argparse
import signal
import sys

from harness import document, full, plan, records, report
from harness.architectures import ARCHITECTURES, on
from harness.fast import Run
from harness.outcome import Row, is_by_vagrant
from harness.records import Kept
from harness.roots import BUILD, TREE
from harness.suites import SUITES, Suite, with_selinux
from harness.vagrant import Vagrant

BY_VAGRANT = ("bookworm", "trixie")
MEASURED = "bookworm"  # where a matrix measures latency
ROUNDS = 30  # logins for each module, enough to distinguish their medians


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./setup vm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--fast", action="store_true", help="small machines without systemd")
    parser.add_argument("--arch", action="append", default=[], choices=list(ARCHITECTURES),
                        help="with --fast: this processor; can be repeated")  # fmt: skip
    parser.add_argument("--selinux", action="store_true",
                        help="with --fast: the kernel has SELinux on, permissive")  # fmt: skip
    parser.add_argument("--matrix", action="store_true", help="all suites; writes docs/logins.md")
    parser.add_argument("--again", action="store_true", help="with --matrix: nothing is kept")
    parser.add_argument("--report", action="store_true", help="docs/logins.md, from what is kept")
    parser.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="this scenario, or group of them")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="a few of the scenarios")
    parser.add_argument("--latency", type=int, default=0, metavar="N",
                        help="also measure N logins with each module")  # fmt: skip
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    asked = parser.parse_args()
    asked.box = asked.suites[:1] == ["box"]
    asked.suites = asked.suites[asked.box :]
    unknown = set(asked.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    if asked.arch and not asked.fast:
        parser.error("--arch is for --fast")
    if asked.selinux and (not asked.fast or asked.arch or asked.matrix):
        parser.error("--selinux is for --fast, without --arch and --matrix")
    try:
        plan.chosen(plan.load(), "fast", asked.only)
        suites_of(asked)
    except (plan.BadTable, ValueError) as reason:
        parser.error(str(reason))
    return asked


def suites_of(asked: argparse.Namespace) -> list[Suite]:
    """What the fast path is to run; raises ValueError for what Debian has not."""
    if asked.arch:
        return [
            on(arch, name)
            for arch in asked.arch
            for name in asked.suites or ARCHITECTURES[arch].suites[:1]
        ]
    names = asked.suites or (list(SUITES) if asked.matrix else ["bookworm", "trixie"])
    return [with_selinux(name) if asked.selinux else SUITES[name] for name in names]


def main() -> int:
    """Run the requested suites; return the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after ctrl-C
    asked = arguments()
    BUILD.mkdir(parents=True, exist_ok=True)
    if asked.box:
        for name in asked.suites or ["bookworm"]:
            Vagrant(name, own_home=False).make_box()
        return 0
    kept: list[Kept] = []
    if asked.report:
        kept = records.load()
    if asked.fast or asked.matrix:
        kept += fast(asked)
    if not (asked.fast or asked.report):
        kept += by_vagrant(asked)
    return tell(kept, write=asked.matrix or asked.report)


def tell(kept: list[Kept], *, write: bool) -> int:
    """Print the table, and write docs/logins.md; return the exit status."""
    figures = {run.label: run.latency() for run in kept if run.latency()}
    rows = [row for run in kept for row in run.rows()]
    # One run may have measured what another did not reach.
    rows = [row for row in rows if row.scenario != "latency" or row.suite not in figures]
    print(report.listing(rows))
    for where, figure in figures.items():
        print(f"login latency, {where}: {report.spoken(figure)}")
    if write:
        for place in (report.FAST, report.OTHERS, report.SELINUX, report.VAGRANT):
            some = [run for run in kept if place_of(run.label) == place]
            if some:  # otherwise keep the table of the last run
                put(place, [row for row in rows if place_of(row.suite) == place], some)
    print(report.counts(rows))
    return 0 if rows and all(row.verdict.word in ("pass", "locked out") for row in rows) else 1


def place_of(label: str) -> str:
    """Which of the tables in docs/logins.md a suite is in."""
    if is_by_vagrant(label):
        return report.VAGRANT
    if label.endswith("-selinux"):
        return report.SELINUX
    return report.OTHERS if label.rpartition("-")[2] in ARCHITECTURES else report.FAST


def put(place: str, rows: list[Row], kept: list[Kept]) -> None:
    """Write what these runs say into one of the tables in docs/logins.md."""
    runs = {run.label: report.Ran(run.date, run.version) for run in kept if run.plan["scenarios"]}
    figures = {
        run.label: f"{run.date}, {run.version}: {report.spoken(run.latency())}"
        for run in kept
        if run.latency()
    }
    titles = [scenario["title"] for scenario in plan.load()]
    document.put(TREE / "docs/logins.md", place, report.table(rows, runs, figures), titles)


def fast(asked: argparse.Namespace) -> list[Kept]:
    """All suites by the fast path, two at a time."""
    runs = []
    where, usual = ("selinux", ["selinux"]) if asked.selinux else ("fast", [])
    for suite in suites_of(asked):
        few = asked.quick or bool(asked.arch) or (asked.matrix and suite.name not in BY_VAGRANT)
        scenarios = plan.chosen(plan.load(), where, asked.only or usual, quick=few)
        latency = asked.latency or (ROUNDS if asked.matrix and suite.name == MEASURED else 0)
        runs.append(Run(suite, scenarios, latency, whole=not asked.only))
    wanted = [run for run in runs if not (resumes(asked) and run.was_kept())]
    try:
        for pair in (wanted[i : i + 2] for i in range(0, len(wanted), 2)):
            for run in pair:
                run.start()
            for run in pair:
                run.wait()
    except KeyboardInterrupt:
        for run in wanted:
            run.stop()
        raise
    return [run.kept for run in runs]


def by_vagrant(asked: argparse.Namespace) -> list[Kept]:
    """The suites that have a box, one after the other."""
    suites = asked.suites or BY_VAGRANT
    kept: list[Kept] = []
    for name in suites if not asked.matrix else [n for n in suites if n in BY_VAGRANT]:
        run = full.Run(name, asked.only, asked.latency, quick=asked.quick)
        if not (resumes(asked) and run.was_kept()):
            run.run()
        kept += run.kept()
    return kept


def resumes(asked: argparse.Namespace) -> bool:
    """Whether earlier runs are used."""
    return bool(asked.matrix and not asked.again)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("setup vm: interrupted; machines and libvirtd are gone")
