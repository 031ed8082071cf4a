"""replay.py TARGET FOLDER...: the lines and branches that the inputs in the folders reach.

Prints JSON, for each file of the target: statements reached, statements, branches reached,
branches.
"""

import importlib
import json
import sys
import tempfile
from pathlib import Path

import coverage


def measure(name: str, folders: list[Path]) -> dict[str, list[int]]:
    """Run the target's check over the inputs.  Raises what a check raises."""
    watch = coverage.Coverage(
        branch=True, source_pkgs=["pam_pykeyinit", "pykeyinit_helper"],
        data_file=None, config_file=False,
    )  # fmt: skip
    watch.start()
    target = importlib.import_module(f"fuzz.targets.{name}")
    for folder in folders:
        for path in sorted(folder.iterdir()):
            target.check(path.read_bytes())
    watch.stop()
    files = [sys.modules[module].__file__ or "" for module in target.MODULES]
    with tempfile.NamedTemporaryFile() as report:
        watch.json_report(outfile=report.name, include=files)
        found = json.load(report)["files"]
    keys = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    return {
        Path(file).name: [entry["summary"][key] for key in keys] for file, entry in found.items()
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], [Path(folder) for folder in sys.argv[2:]])))
