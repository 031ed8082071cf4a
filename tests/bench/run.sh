#!/bin/sh
# run.sh [ROUNDS]: build the C programs, and measure.  Run by ./setup bench, in its world.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$WORLD/bench
if ! { meson setup -Dtests=true --buildtype=release "$build" "$here" &&
    ninja -C "$build" tests/driver/pamloop tests/driver/many tests/driver/cold; } >"$WORLD/bench.log" 2>&1; then
    cat "$WORLD/bench.log" >&2
    exit 1
fi
PYTHONPATH=$here/tests
export PYTHONPATH
python3 -P "$here/tests/bench/bench.py" "$build/tests/driver/pamloop" "$@"
status=0
python3 -I "$here/tests/bench/helper.py" "$@" || status=$?
python3 -P "$here/tests/bench/sessions.py" 5 || status=$?
python3 -P "$here/tests/bench/loader.py" "$build/tests/driver" "$@" || status=$?
python3 -P "$here/tests/bench/first.py" "$build/tests/driver/cold" "$@" || status=$?
python3 -P "$here/tests/bench/policies.py" "$build/tests/driver/pamloop" "$@"
python3 -P "$here/tests/bench/logins.py"
exit $status
