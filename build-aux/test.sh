#!/bin/sh
# test.sh [--long] [PYTEST ARGUMENT...]: the test suite.  As root, in a world of its own
# (see world.sh); otherwise what can be run without, and what was skipped is named.
# In both cases the module that is tested is the installed one, not the sources.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

if [ "$(id -u)" = 0 ]; then
    exec "$here/build-aux/world.sh" python3 -P -m pytest "$@"
fi
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage PREFIX=/usr/local "$here/build-aux/install.sh" >/dev/null
PYTHONPATH=$(find "$stage/usr/local/lib" -name '*-packages')
export PYTHONPATH
python3 -P -m pytest "$@"
