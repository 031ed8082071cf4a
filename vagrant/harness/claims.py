"""Try the statements of the manual pages on other kernels: a machine for each.

    ./setup claims --on SUITE...     each verdict goes to tests/claims/kernels, and from there
                                     into docs/claims.md

The machine has Python and keyctl(1); the claims, and what of our packages
they need, come as one file.  Nothing of ours is built or installed there, so that a release
that cannot build the loader is asked as well.
"""

import shutil
import sys
import tempfile
import time
import zipapp
from pathlib import Path
from typing import Any

from harness.machine import Machine
from harness.roots import BUILD, TREE, CannotMake
from harness.suites import SUITES

PARTS = {
    "pam_pykeyinit": TREE / "pam_pykeyinit",
    "pykeyinit_helper": TREE / "helper/pykeyinit_helper",
    "claims": TREE / "tests/claims",
    "support": TREE / "tests/support",
}
_PATIENCE = 300  # seconds that a machine may be silent: it is emulated, and there are many claims


def bundle(file: Path) -> None:
    """Put the claims, and all their imports from this tree, into one file that Python runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, source in PARTS.items():
            shutil.copytree(source, folder / part, ignore=_not_python)
        zipapp.create_archive(folder, file, main="claims.run:main")


def _not_python(folder: str, names: list[str]) -> set[str]:
    paths = (Path(folder, name) for name in names)
    return {path.name for path in paths if path.suffix != ".py" and not path.is_dir()}


def ask(name: str) -> dict[str, Any]:
    """The verdicts of a suite's kernel; raises CannotMake, also without a verdict."""
    suite = SUITES[name]
    suite = suite._replace(loaders=tuple(set(suite.loaders) - {"native"}))  # this builds nothing
    plan = {"loaders": [], "scenarios": [], "latency": 0, "patience": _PATIENCE, "claims": True}
    machine = Machine(suite, plan, lambda _: None, lambda guest: bundle(guest / "claims.pyz"))
    records = machine.run()
    said = next((record for record in records if record["kind"] == "claims"), None)
    if said is None or said.get("wrong"):
        what = said["wrong"] if said else f"nothing; see {machine.console}"
        raise CannotMake(f"{name}: the claims gave {what}")
    said.pop("kind")
    return said


def main() -> int:
    """Ask the kernels of the given suites; 1 if one could not be asked."""
    from claims import kernels

    names = sys.argv[1:] or list(SUITES)
    unknown = set(names) - set(SUITES)
    if unknown:
        sys.exit(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    BUILD.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in names:
        begun = time.monotonic()
        try:
            said = ask(name)
        except CannotMake as reason:
            print(f"{name}: {reason}", file=sys.stderr)
            failed = 1
            continue
        kernels.save(name, said)
        took = time.monotonic() - begun
        print(f"{name}: Linux {said['kernel']}, Python {said['python']}, {took:.0f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main())
