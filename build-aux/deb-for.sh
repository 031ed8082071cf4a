#!/bin/sh
# deb-for.sh SUITE PACKAGE...: build the Debian package for another suite, such as trixie, into
# dist/ (or $DIST): in a scratch system of that suite with these packages, removed afterwards.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dist=${DIST:-$here/dist}
suite=$1
shift
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP

"$here/build-aux/copy.sh" "$stage/tree"
epoch=$("$here/build-aux/epoch.sh")
mkdir -p "$dist"
if ! mmdebstrap --quiet --mode=root --variant=apt --format=null \
    --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt=force-unsafe-io \
    --include="$(echo "$*" | tr ' ' ',')" \
    --customize-hook="sync-in '$stage/tree' /root" \
    --chrooted-customize-hook="SOURCE_DATE_EPOCH=$epoch DIST=/root/built /root/build-aux/deb.sh" \
    --customize-hook="sync-out /root/built '$dist'" "$suite" /dev/null >"$stage/log" 2>&1; then
    cat "$stage/log" >&2
    echo "deb: could not build for $suite" >&2
    exit 1
fi
sed -n "s,^/root/built/\(.*\.deb\)$,$dist/\1,p" "$stage/log"
