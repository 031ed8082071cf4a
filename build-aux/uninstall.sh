#!/bin/sh
# uninstall.sh: remove from $DESTDIR exactly what install.sh laid there.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$here/build-aux/paths.sh"

if [ ! -f "$DESTDIR$manifest" ]; then
    echo "uninstall: nothing of ours in $DESTDIR$prefix: there is no $DESTDIR$manifest" >&2
    echo "uninstall: if it was installed with another PREFIX or DESTDIR, give the same again" >&2
    exit 1
fi
list=$(cat "$DESTDIR$manifest") # which is on its own list
printf '%s\n' "$list" | remove_listed
echo "Removed from $DESTDIR$prefix.  PAM lines that name pam_pykeyinit are yours to remove."
