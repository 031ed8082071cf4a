#!/bin/sh
# install.sh: build, and lay the files under $DESTDIR, with a list of what was laid.
#
# Each file is renamed into place, so that a login at this moment sees the old one or the
# new one.  A file that an older version laid and this one does not is removed afterwards.
set -eu
umask 022
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$here/build-aux/paths.sh"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

set -- --prefix "$prefix"
# Meson gives the packages of /usr/local a folder that Debian's Python does not look into.
if [ "$prefix" = /usr/local ]; then
    purelib=$(python3 -I -c 'import sysconfig as s
print(s.get_path("purelib", "posix_local" if "posix_local" in s.get_scheme_names() else "posix_prefix",
                 {} if "posix_local" in s.get_scheme_names() else {"base": "/usr/local"}))')
    set -- "$@" "-Dpython.purelibdir=$purelib"
fi
meson setup "$stage/build" "$here" "$@" >"$stage/log" 2>&1 &&
    meson install -C "$stage/build" --destdir "$stage/root" >>"$stage/log" 2>&1 || {
    cat "$stage/log" >&2
    exit 1
}

cd "$stage/root"
mkdir -p ".$(dirname "$manifest")"
old=$stage/old
cat "$DESTDIR$manifest" >"$old" 2>/dev/null || : >"$old"
{
    find . -mindepth 1 -type d | sed 's/^\.//' | sort | while read -r directory; do
        # A folder is ours to remove only if it was not there before us.
        if [ ! -d "$DESTDIR$directory" ]; then
            install -d -m 755 "$DESTDIR$directory"
            echo "d $directory"
        elif grep -qxF "d $directory" "$old"; then
            echo "d $directory"
        fi
    done
    find . -type f | sed 's/^\./f /' | sort
    echo "f $manifest"
} >"$stage/manifest"
cp "$stage/manifest" ".$manifest"

# The file that pam_python.so loads comes last, when all that it imports is there.  Times
# are kept: by them Python knows that bytecode belongs to its source.
find . -type f | sed 's/^\.//' | awk '/\/security\// { last = last $0 "\n"; next } { print }
    END { printf "%s", last }' | while read -r file; do
    mode=644
    [ ! -x ".$file" ] || mode=755
    install -p -m $mode ".$file" "$DESTDIR$file.new"
    mv -f "$DESTDIR$file.new" "$DESTDIR$file"
done
grep -vxF -f "$stage/manifest" "$old" | remove_listed
echo "installed; what was laid is listed in $DESTDIR$manifest"
