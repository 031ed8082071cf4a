# shellcheck shell=sh
# Sourced by install.sh and uninstall.sh: the paths, and how files are removed.
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the Python that PAM modules embed, not a user's own
export PATH
umask 022

prefix=${PREFIX:-/usr/local}
prefix=${prefix%/}
case $prefix in
/*) ;;
*)
    echo "PREFIX must be an absolute path such as /usr/local, not '$PREFIX'" >&2
    exit 1
    ;;
esac
case ${DESTDIR:-} in
'' | /*) DESTDIR=${DESTDIR:-} ;;
*) DESTDIR=$PWD/$DESTDIR ;;
esac
DESTDIR=${DESTDIR%/}
# shellcheck disable=SC2034  # used by both
manifest=$prefix/share/pam_pykeyinit/manifest

# Standard input: lines of a manifest, "f FILE" and "d FOLDER".  Files go first, then the
# folders from the innermost outwards; those that somebody else put something in stay.
remove_listed() {
    sort -r | sort -s -k1,1r | while read -r kind path; do
        case $kind in
        f) rm -f "$DESTDIR$path" ;;
        d)
            [ ! -d "$DESTDIR$path" ] || rmdir "$DESTDIR$path" 2>/dev/null ||
                echo "left as it is, for it is not empty: $DESTDIR$path"
            ;;
        esac
    done
}
