#!/bin/sh
# test.sh [--workers N] [--long] [PYTEST ARGUMENT...]: the test suite.
#
# As root, in worlds of their own (see world.sh), because tests also wait: two
# workers for each processor, which share the tests; one if tests are named, or N.  The run
# fails if it leaves something on the machine (left.py).  Without root, only the tests that do
# not need it, and a list of the skipped ones.
# Both test the installed module, not the sources.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
uids=${WORLD_UIDS:-61001}
most=9 # each world may use 100 uids, and a suite 1,000

workers=$(($(nproc) * 2))
for word in "$@"; do
    [ ! -e "${word%%::*}" ] || workers=1
done
if [ "${1:-}" = --workers ]; then
    workers=$2
    shift 2
fi
[ "$workers" -le $most ] || workers=$most

stage=$(mktemp -d /var/tmp/pykeyinit-test.XXXXXX)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$stage"
PYKEYINIT_BUILD=$stage/build
export PYKEYINIT_BUILD
DESTDIR=$stage/installed PREFIX=/usr/local "$here/build-aux/install.sh" >/dev/null
# Here, because otherwise each worker would build it.
driver=$stage/driver
if ! { meson setup -Dloader=false -Dtests=true "$driver" && ninja -C "$driver"; } >"$stage/log" 2>&1; then
    cat "$stage/log" >&2
    exit 1
fi
PAMDRIVE=$driver/tests/driver/pamdrive
export PAMDRIVE

if [ "$(id -u)" != 0 ]; then
    PYTHONPATH=$(find "$stage/installed/usr/local/lib" -name '*-packages')
    export PYTHONPATH
    python3 -P -m pytest -p no:xdist "$@"
    exit
fi

WORLDS=$stage/worlds WORLD_STAGE=$stage
export WORLDS WORLD_STAGE
mkdir "$WORLDS"
status=0
python3 -I build-aux/left.py "$uids" $((workers * 100)) >"$stage/before"
if [ "$workers" = 1 ]; then
    build-aux/world.sh python3 -P -m pytest -p no:xdist "$@" || status=$?
else
    number=0
    while [ $number -lt "$workers" ]; do
        python="env WORLD_UIDS=$((uids + number * 100)) build-aux/world.sh python3 -P"
        set -- --tx "popen//id=world$number//python=$python" "$@"
        number=$((number + 1))
    done
    # Who distributes reads what the tests' folders share, and so wants the package, too.
    package=$(cd "$stage/installed" && find usr/local/lib -name dist-packages)
    # shellcheck disable=SC2016  # for the shell that it is given to
    python3 -I build-aux/private.py sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh \
        "$stage/installed/$package" "/$package" python3 -P -m pytest --dist loadgroup "$@" ||
        status=$?
fi
python3 -I build-aux/left.py "$uids" $((workers * 100)) "$WORLDS" <"$stage/before" || status=1
exit $status
