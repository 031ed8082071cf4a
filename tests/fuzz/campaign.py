"""campaign.py [--keep] [SECONDS] [TARGET...]: fuzz, and report the coverage.

Findings, and inputs that reached new code, stay in build/fuzz, and the figures of the last run
in build/fuzz/report.json.  With --keep the smallest set of inputs with the same coverage goes
into the tree, tests/fuzz/corpus.  Exit status 1 if anything was found.
"""

import argparse
import json
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from fuzz import engines
from fuzz.engines import TARGETS
from fuzz.results import Result

BUILD = engines.ROOT / "build/fuzz"
AT_A_TIME = 2
_HOUR = 3600


def run(names: list[str], seconds: int, *, keep: bool = False) -> dict[str, "Future[Result]"]:
    """Fuzz these targets to the end; return each result, or the reason why it could not run."""
    engines_of: dict[str, engines.Engine] = {}
    results: dict[str, Future[Result]] = {}
    for name in names:  # one after the other: they share a build
        results[name] = Future()
        try:
            engines_of[name] = engines.engine(name)
        except (engines.Unavailable, RuntimeError) as error:
            results[name].set_exception(error)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for name, engine in engines_of.items():
            results[name] = pool.submit(
                engines.fuzz, name, engine, seconds, BUILD / name, keep=keep
            )
    return results


def report(results: list[Result]) -> None:
    """Write the figures where documents can read them: the latest of each target."""
    file = BUILD / "report.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    known |= {result.target: result.figures() for result in results}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def main() -> int:
    """Fuzz the targets of the command line."""
    parser = argparse.ArgumentParser(prog="./setup fuzz")
    parser.add_argument("--keep", action="store_true", help="put new inputs into the tree")
    parser.add_argument("seconds", nargs="?", default="", help="for each target: 3600")
    parser.add_argument("targets", nargs="*", help=", ".join(TARGETS))
    words = parser.parse_args()
    if words.seconds and not words.seconds.isdecimal():
        words.targets.insert(0, words.seconds)
        words.seconds = ""
    unknown = set(words.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {' '.join(unknown)}; there are: {', '.join(TARGETS)}")
    names = words.targets or list(TARGETS)
    results = []
    for name, future in run(names, int(words.seconds or _HOUR), keep=words.keep).items():
        error = future.exception()
        print(f"fuzz {name}: {error}" if error else future.result(), flush=True)
        results += [] if error else [future.result()]
    report(results)
    print(f"figures: {Path(BUILD / 'report.json').relative_to(engines.ROOT)}")
    return 1 if len(results) < len(names) or any(result.found for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
