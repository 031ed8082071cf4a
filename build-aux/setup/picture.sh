# shellcheck shell=sh disable=SC2086,SC2154
# picture: docs/login.svg.

no_words picture "$@"
need_root picture
need $runtime graphviz
exec "$here/build-aux/world.sh" "$here/build-aux/picture.sh"
