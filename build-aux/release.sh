#!/bin/sh
# release.sh: build all files of a release, into dist/ (or $DIST), which must not exist yet;
# fail if its notes are missing.  The same tree gives the same files.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
DIST=${DIST:-$here/dist}
export DIST
python3 -I "$here/build-aux/changelog.py" release
if [ -n "$(ls -A "$DIST" 2>/dev/null)" ]; then
    echo "release: $DIST is not empty: a release has nothing else in it" >&2
    exit 1
fi
"$here/setup" deb
"$here/setup" dist
"$here/setup" rpm
cd "$DIST"
sums=$(sha256sum -- *)
printf '%s\n' "$sums" >SHA256SUMS
cat <<END
$DIST/SHA256SUMS

To sign: gpg --armor --detach-sign $DIST/SHA256SUMS
To verify: gpg --verify SHA256SUMS.asc SHA256SUMS && sha256sum --check SHA256SUMS
END
