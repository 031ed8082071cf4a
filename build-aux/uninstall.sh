#!/bin/sh
# uninstall.sh: remove from $DESTDIR exactly what install.sh laid there.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$here/build-aux/paths.sh"

if [ ! -f "$DESTDIR$manifest" ]; then
    echo "uninstall: nothing is installed: there is no $DESTDIR$manifest" >&2
    exit 1
fi
list=$(cat "$DESTDIR$manifest")
printf '%s\n' "$list" | remove_listed
