#!/bin/sh
# sanitize.sh [CYCLES]: build the loader and the programs with threads with the compiler's
# sanitizers, and run sessions.  The first report ends it.  As root:
#
#     build-aux/world.sh tests/loader/sanitize.sh
#
# Leaks are not reported, because the interpreter is never finalized.  ./setup bench shows them.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the Python that the loader is built for
export PATH
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cycles=${1:-1000}
# The thread sanitizer does not know the locks of the dynamic linker; and libaudit, which libpam
# calls, keeps the program's name and terminal in variables that all threads share.
printf 'race:ld-linux\nrace:libaudit\n' >"$WORLD/known"
package=$(python3 -I -c 'import pam_pykeyinit as p; print(p.__path__[0])')

for kind in address,undefined thread; do
    build=$WORLD/$kind
    if ! { meson setup -Dtests=true "-Db_sanitize=$kind" "-Dpython.purelibdir=${package%/*}" \
        "$build" "$here" && ninja -C "$build"; } >"$WORLD/sanitize.log" 2>&1; then
        cat "$WORLD/sanitize.log" >&2
        exit 1
    fi
    services=$build/services
    mkdir "$services"
    echo 'auth required pam_deny.so' >"$services/other"
    line="required $build/pam_pykeyinit/loader/pam_pykeyinit.so force revoke"
    printf 'auth %s\nsession %s\n' "$line" "$line" >"$services/s"
    ASAN_OPTIONS=detect_leaks=0:abort_on_error=1
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    TSAN_OPTIONS=halt_on_error=1:report_thread_leaks=0:suppressions=$WORLD/known
    export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
    LOOK=1 "$build/tests/driver/many" "$services" s 16 "$cycles" alice bob carol dave
    # The thread sanitizer does not support forks of a process with threads.
    ways='other ended forks'
    [ $kind != thread ] || ways='other ended'
    for how in $ways; do
        "$build/tests/driver/across" "$how" "$services" s alice
    done
    echo "sanitize: $kind: clean"
done
