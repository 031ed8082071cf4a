"""What a machine is asked besides logins: the manual pages' claims, and the tests of the core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Dict

HERE = Path(__file__).parent
TESTED = ("tests/kernel", "tests/module", "tests/policies")
Record = Dict[str, Any]


def claims() -> Record:
    """What this kernel says of the manual pages' claims; or "wrong", why that is not known."""
    done = subprocess.run(
        [sys.executable, "-I", str(HERE / "claims.pyz"), "--json"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        return {"wrong": (done.stdout + done.stderr)[-2000:]}
    verdicts: Record = json.loads(done.stdout)
    return verdicts


def tests(each: Callable[[str], None]) -> Record:
    """How the tests of the core end here, with what they say of those that fail.

    `each` is called with each line that comes, for they take their time.
    """
    pytest = ["python3", "-P", "-m", "pytest", "-v", "-m", "not lengthy", *TESTED]
    made = {
        "WORLD_STAGE": str(HERE / "stage"),
        "PAMDRIVE": str(HERE / "pamdrive"),
        "PAMDRIVE_PATIENCE": "600",  # hundreds of logins, on an emulated machine
    }
    running = subprocess.Popen(
        ["build-aux/world.sh", *pytest], cwd=HERE / "tree", env={**os.environ, **made}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = []
    assert running.stdout
    for line in running.stdout:
        said.append(line.rstrip())
        each(said[-1])
    summary = said[-1].strip("= ") if said else "nothing"
    return {"status": running.wait(), "summary": summary, "said": said[-400:]}
