"""run.py [--json]: ask this machine's kernel for every claim, as root.

The table is printed, or with --json the verdicts alone.  It needs pam_pykeyinit and
pykeyinit_helper, and keyctl(1); not pytest.  Ends with 1 if the kernel
neither does what a page says nor what is known instead; with --json that is in the verdicts.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from claims import table
from claims.claim import FAILED


def main() -> int:
    """Print the table, and a summary of it on standard error; or the verdicts."""
    if os.geteuid():
        sys.exit("run.py needs root: it examines keyrings as several users")
    verdicts = table.ask()
    if "--json" in sys.argv[1:]:
        reported = table.by_statement(verdicts)
        machine = {"kernel": os.uname().release, "python": platform.python_version()}
        print(json.dumps({**machine, "verdicts": reported}))  # noqa: T201
        return 0
    print(table.render(verdicts))  # noqa: T201
    print(f"Linux {os.uname().release}: {table.summary(verdicts)}", file=sys.stderr)  # noqa: T201
    return any(word == FAILED for word, _ in verdicts.values())


if __name__ == "__main__":
    sys.exit(main())
