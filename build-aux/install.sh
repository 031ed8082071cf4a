#!/bin/sh
# install.sh: build, and install the files below $DESTDIR, with a list of them.
#
# Files of an older version that this one does not have are removed after the new ones are laid.
# $PYKEYINIT_BUILD, if it is set, is a folder that keeps the build: what it has is not built again.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$here/build-aux/paths.sh"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP

build() {
    set -- --prefix "$prefix"
    # Meson gives the packages of /usr/local a folder that Debian's Python does not look into.
    if [ "$prefix" = /usr/local ]; then
        set -- "$@" "-Dpython.purelibdir=$(python3 -I "$here/build-aux/purelib.py")"
    fi
    # Meson asks dpkg-architecture where libraries are, which a small system lacks.
    multiarch=$(python3 -I -c 'import sysconfig; print(sysconfig.get_config_var("MULTIARCH") or "")')
    case $prefix in
    /usr | /usr/local)
        [ -z "$multiarch" ] || [ ! -d "/lib/$multiarch/security" ] ||
            set -- "$@" "-Dsecuredir=/lib/$multiarch/security"
        ;;
    esac
    folder=${PYKEYINIT_BUILD:-$stage/build}
    if [ "$(cat "$folder/options" 2>/dev/null)" != "$*" ]; then
        rm -rf "$folder/meson-private" # it has the options of before
        meson setup "$folder" "$here" "$@" || return
        echo "$*" >"$folder/options"
    fi
    meson install -C "$folder" --destdir "$stage/root"
}

# Where a file of that name stands that no install of ours laid: a package's, or another
# PREFIX's, for all share the folder of pam_python.so.
foreign() {
    grep '^f ' "$stage/new" | while read -r _ file; do
        [ ! -e "$DESTDIR$file" ] || grep -qxF "f $file" "$stage/old" || echo "  $DESTDIR$file"
    done
}

# Folders above a file that somebody else than root can change, as group staff can change
# /usr/local on some systems: who can, chooses what is run as root.
not_roots() {
    folder=$1
    while folder=$(dirname "$folder") && [ "$folder" != / ]; do
        find "$folder" -maxdepth 0 ! -type l '(' ! -uid 0 -o -perm -o+w -o -perm -g+w ! -gid 0 ')'
    done
}

lay() {
    python3 -I "$here/build-aux/lay.py" "$stage/root" "$DESTDIR"
}

lay_manifest() {
    cat "$1" >"$stage/root$manifest"
    echo "$manifest" | lay
}

if ! build >"$stage/log" 2>&1; then
    cat "$stage/log" >&2
    echo "install: the build failed, nothing was laid" >&2
    exit 1
fi
owner=
[ "$(id -u)" != 0 ] || owner='-o root -g root' # whatever a set-group-ID folder says

cd "$stage/root"
mkdir -p ".$(dirname "$manifest")"
: >".$manifest"
cat "$DESTDIR$manifest" >"$stage/old" 2>/dev/null || :
{
    find . -mindepth 1 -type d | sed 's/^\.//' | sort | while read -r folder; do
        # A folder is ours to remove only if it was not there before us.
        if [ ! -d "$DESTDIR$folder" ] || grep -qxF "d $folder" "$stage/old"; then
            echo "d $folder"
        fi
    done
    find . -type f | sed 's/^\./f /' | sort
} >"$stage/new"
others=$(foreign)
if [ -n "$others" ]; then
    echo "install: not laid by this PREFIX and DESTDIR; uninstall it first:" >&2
    echo "$others" >&2
    exit 1
fi

sed -n 's/^d //p' "$stage/new" | while read -r folder; do
    # shellcheck disable=SC2086  # none or four words
    [ -d "$DESTDIR$folder" ] || install -d -m 755 $owner "$DESTDIR$folder"
done
# Until all is done the list has the old files and the new ones, so that an install that
# was interrupted can be repeated, or undone.
sort -u "$stage/old" "$stage/new" >"$stage/both"
lay_manifest "$stage/both"
# The file that pam_python.so loads comes last, when all that it imports is there.
sed -n 's/^f //p' "$stage/new" | grep -vxF "$manifest" |
    awk '/\/security\// { last = last $0 "\n"; next } { print } END { printf "%s", last }' |
    lay
grep -vxF -f "$stage/new" "$stage/old" | remove_listed
lay_manifest "$stage/new"

laid() {
    sed -n "s,^f \\(.*/$1\\)\$,\\1,p" "$stage/new"
}
loader=$(laid 'pam_pykeyinit\.so')
script=$(laid 'security/pam_pykeyinit\.py')
echo "Installed in $DESTDIR$prefix, and as $DESTDIR$loader and $DESTDIR$script."
[ -z "$DESTDIR" ] || exit 0
others=$({
    not_roots "$DESTDIR$loader"
    not_roots "$(laid 'pam_pykeyinit/module\.py')"
} | sort -u)
[ -z "$others" ] || cat <<END

Others than root can change what is run as root, for these are not root's alone:
$others
Take group write from them, or install with PREFIX=/usr.
END
case $loader in
/lib/*) loader=${loader##*/} ;;
esac
cat <<END

Nothing uses it yet.  Which logins shall, is for you to say: in the file of that
service in /etc/pam.d, before common-session and in place of pam_keyinit, put
  session optional $loader force revoke
or, with libpam-python, and never for set-user-ID programs such as su and sudo,
  session optional pam_python.so ${script#/lib/security/} force revoke
END
