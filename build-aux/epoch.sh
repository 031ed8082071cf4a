#!/bin/sh
# epoch.sh: print the time for builds of this tree, in seconds: $SOURCE_DATE_EPOCH, or
# the day of the release, or else that of the last commit or change log entry.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
date=${SOURCE_DATE_EPOCH:-$(python3 -I "$here/build-aux/changelog.py" epoch)}
[ -n "$date" ] || date=$(git -c safe.directory="$here" -C "$here" log -1 --format=%ct 2>/dev/null) ||
    date=$(stat -c %Y "$here/CHANGELOG.md")
echo "$date"
