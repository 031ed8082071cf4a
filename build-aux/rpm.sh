#!/bin/sh
# rpm.sh: build the RPM with Fedora's folders from the sdist of the last commit, into dist/ (or
# $DIST), for the Python of this machine.  The same commit gives the same bytes.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dist=${DIST:-$here/dist}
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the Python that PAM modules embed, not a user's own
LC_ALL=C.UTF-8
export PATH LC_ALL
umask 022
SOURCE_DATE_EPOCH=$("$here/build-aux/epoch.sh")
export SOURCE_DATE_EPOCH

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP
DIST=$stage/SOURCES "$here/build-aux/dist.sh" >/dev/null

# What it requires has Fedora's names, which no other distribution's rpm knows: --nodeps.
if ! env -i PATH="$PATH" HOME="$stage" TZ=UTC LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    rpmbuild -bb --nodeps --define "_topdir $stage" --define '_buildhost localhost' \
    --define 'use_source_date_epoch_as_buildtime 1' \
    --define 'clamp_mtime_to_source_date_epoch 1' \
    --define 'debug_package %{nil}' --define '_build_id_links none' \
    "$here/packaging/fedora/pam_pykeyinit.spec" >"$stage/log" 2>&1; then
    cat "$stage/log" >&2
    echo "rpm: the build failed" >&2
    exit 1
fi
mkdir -p "$dist"
for file in "$stage"/RPMS/*/*.rpm; do
    mv -f "$file" "$dist/"
    echo "$dist/${file##*/}"
done
