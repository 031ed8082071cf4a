#!/bin/sh
# deb.sh: build the Debian package for this Debian, into dist/ (or $DIST), from a
# clean copy of this tree, and run lintian.  The same tree gives the same bytes.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dist=${DIST:-$here/dist}
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the Python that PAM modules embed, not a user's own
LC_ALL=C.UTF-8
export PATH LC_ALL
umask 022

SOURCE_DATE_EPOCH=$("$here/build-aux/epoch.sh")
suffix=$(. /etc/os-release && echo "+$ID${VERSION_ID:-}" | sed 's/debian/deb/')

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP
"$here/build-aux/copy.sh" "$stage/pam-pykeyinit"
python3 -I "$here/build-aux/changelog.py" debian "$suffix" "$SOURCE_DATE_EPOCH" \
    >"$stage/pam-pykeyinit/debian/changelog"
find "$stage/pam-pykeyinit" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

cd "$stage/pam-pykeyinit"
# Nothing else of what is in the caller's environment: a CFLAGS would be taken.
if ! env -i PATH="$PATH" HOME="$stage" TZ=UTC LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage --build=binary --no-sign >"$stage/log" 2>&1; then
    cat "$stage/log" >&2
    echo "deb: the build failed" >&2
    exit 1
fi
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$stage"/*.changes
mkdir -p "$dist"
mv -f "$stage"/*.deb "$dist/"
sed -n "s,^ [0-9a-f]\{64\} [0-9]* \(.*\.deb\)$,$dist/\1,p" "$stage"/*.changes |
    while read -r package; do
        python3 -I "$here/build-aux/sbom.py" "$package" "$SOURCE_DATE_EPOCH" >"$package.spdx.json"
        echo "$package"
    done
