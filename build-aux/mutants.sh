#!/bin/sh
# mutants.sh [--every N] [FILE...]: make mutants of the core, or of these files of
# pam_pykeyinit/, run the tests against each in a world of its own, and report which survive.
# With --every only each Nth is tried: all take hours.  cosmic-ray, which makes them, comes
# from PyPI into a folder of its own, in a fixed version, because EXPLAINED names its mutants.
# "loader" is all of loader/: tests/mutants/loader.py has its mutants.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
every=1
if [ "${1:-}" = --every ]; then
    every=${2:?--every needs a number}
    shift 2
fi
[ $# -gt 0 ] || set -- options words naming plan session left_open identity hold lock tag refresh \
    quota syscalls setids keyctl failure log module native user libc sysnums procfs listing loader
tools=build/mutants
if ! "$tools/bin/python" -c 'import cosmic_ray' 2>/dev/null; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check \
        --no-warn-script-location cosmic-ray==8.7.0
fi
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP

for name in "$@"; do
    name=${name##*/}
    if [ "$name" = loader ]; then
        python3 -P tests/mutants/loader.py >>"$stage/all"
    else
        file=$(find pam_pykeyinit -name "${name%.py}.py")
        "$tools/bin/python" tests/mutants/generate.py "${file:-pam_pykeyinit/$name}" >>"$stage/all"
    fi
done
awk "NR % $every == 0" "$stage/all" >"$stage/tried"
echo "mutants: $(wc -l <"$stage/tried") of $(wc -l <"$stage/all") are tried" >&2
build-aux/world.sh python3 -P tests/mutants/run.py "$stage/tried" >"$stage/results"
PYTHONPATH=tests python3 -P tests/mutants/verdict.py "$stage/all" "$stage/results"
