#!/bin/sh
# fuzz.sh [--keep] [SECONDS] [TARGET...]: see tests/fuzz/campaign.py.  As root, in a world of
# its own (see world.sh): what is fuzzed is the installed module.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$here/tests
export PYTHONDONTWRITEBYTECODE PYTHONPATH
exec "$here/build-aux/world.sh" python3 -P -m fuzz.campaign "$@"
