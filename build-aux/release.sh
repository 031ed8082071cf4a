#!/bin/sh
# release.sh: all that a release consists of, into dist/; nothing where its notes are missing.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python3 -I "$here/build-aux/changelog.py" release
"$here/setup" deb
"$here/setup" dist
