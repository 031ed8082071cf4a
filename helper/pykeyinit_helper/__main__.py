"""`python3 -m pykeyinit_helper` is pykeyinit-helper(8)."""

import sys

from pykeyinit_helper.main import main

sys.exit(main())
