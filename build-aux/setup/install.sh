# shellcheck shell=sh disable=SC2086,SC2154
# install: build, and install below $DESTDIR.

no_words install "$@"
[ -n "${DESTDIR:-}" ] || need_root install
need $building python3
exec "$here/build-aux/install.sh"
