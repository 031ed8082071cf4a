# shellcheck shell=sh disable=SC2086,SC2154
# uninstall: remove what install wrote.

no_words uninstall "$@"
[ -n "${DESTDIR:-}" ] || need_root uninstall
exec "$here/build-aux/uninstall.sh"
