#!/bin/sh
# dist.sh: the sdist of the last commit, and the wheel that is built from that sdist, into
# dist/ (or $DIST).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dist=${DIST:-$here/dist}
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the Python that PAM modules embed, not a user's own
LC_ALL=C.UTF-8
export PATH LC_ALL
umask 022
if ! git -c safe.directory="$here" -C "$here" rev-parse HEAD >/dev/null 2>&1; then
    echo "dist: an sdist is made of a commit, and this tree is in no git repository" >&2
    exit 1
fi
SOURCE_DATE_EPOCH=$("$here/build-aux/epoch.sh")
export SOURCE_DATE_EPOCH

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP

# What `pip wheel` and `python -m build` call, without the network that they use.
hook() {
    python3 -c 'import mesonpy, sys
getattr(mesonpy, sys.argv[1])(sys.argv[2])' "$1" "$2"
}

make() {
    git -c safe.directory='*' clone -q --depth 1 "file://$here" "$stage/tree"
    cd "$stage/tree"
    hook build_sdist "$stage/sdist"
    mkdir "$stage/unpacked"
    tar -x -f "$stage"/sdist/*.tar.gz -C "$stage/unpacked" --strip-components 1
    cd "$stage/unpacked"
    hook build_wheel "$stage/wheel"
}
mkdir -p "$stage/sdist" "$stage/wheel" "$dist"
if ! make >"$stage/log" 2>&1; then
    cat "$stage/log" >&2
    echo "dist: the build failed" >&2
    exit 1
fi
for file in "$stage"/sdist/* "$stage"/wheel/*; do
    mv -f "$file" "$dist/"
    echo "$dist/${file##*/}"
done
