#!/bin/sh
# byte-compile.sh PYTHON FOLDER: compile the modules in a folder below $DESTDIR, naming
# them in tracebacks by where they will be.
set -eu
exec "$1" -I -m compileall -q -f -s "${DESTDIR:-}" -p / "${DESTDIR:-}$2"
