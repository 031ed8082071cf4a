# shellcheck shell=sh disable=SC2086,SC2154
# deb [--for SUITE | --test [PYTEST ARGUMENT...]]: the Debian package.

case ${1:-} in
'' | --test) ;;
--for) [ -n "${2:-}" ] || unknown "deb --for: which suite?  For example: ./setup deb --for trixie" ;;
*) unknown "deb: unknown word: $1" ;;
esac
command -v dpkg-query >/dev/null || die "deb: this is not a Debian"
if [ "${1:-}" = --for ]; then
    need_root deb
    need mmdebstrap debian-archive-keyring
    exec "$here/build-aux/deb-for.sh" "$2" $packaging
fi
need $packaging
[ "${1:-}" != --test ] || {
    need_root "deb --test"
    need $runtime $testing mmdebstrap debian-archive-keyring rpm rpmlint \
        makepkg pacman-package-manager libarchive-tools fakeroot
    shift
    case ${1:-} in
    tests/*) ;;
    *) set -- tests/deb "$@" ;;
    esac
    exec "$here/build-aux/test.sh" --deb "$@"
}
exec "$here/build-aux/deb.sh"
