"""run.py [--json]: try every claim on this machine's kernel, as root.

Print the table, or with --json only the verdicts.  This needs pam_pykeyinit, pykeyinit_helper
and keyctl(1), but not pytest.  Exit status 1 if the kernel does neither what a page says nor
the known alternative; with --json the verdicts show that.
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
