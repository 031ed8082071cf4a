# shellcheck shell=sh disable=SC2086,SC2154
# dist: the sdist and the wheel.

no_words dist "$@"
need git tar meson ninja-build python3 python3-mesonpy
exec "$here/build-aux/dist.sh"
