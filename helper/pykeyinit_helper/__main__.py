"""`python3 -m pykeyinit_helper` is pykeyinit-helper(8)."""

import sys

from pykeyinit_helper.cli.main import main

sys.exit(main())
