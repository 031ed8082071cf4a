"""run.py: ask this machine's kernel for every claim, as root; the table on standard output.

It needs pam_pykeyinit and pykeyinit_helper, installed, keyctl(1) and python3-keyutils; not
pytest.  Ends with 1 if the kernel neither does what a page says nor what is known instead.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from claims import table
from claims.claim import FAILED


def main() -> int:
    """Print the table, and a summary of it on standard error."""
    if os.geteuid():
        sys.exit("run.py wants root: it looks at keyrings as several users")
    verdicts = table.ask()
    print(table.render(verdicts))  # noqa: T201
    print(f"Linux {os.uname().release}: {table.summary(verdicts)}", file=sys.stderr)  # noqa: T201
    return any(word == FAILED for word, _ in verdicts.values())


if __name__ == "__main__":
    sys.exit(main())
