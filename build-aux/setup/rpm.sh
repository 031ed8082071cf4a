# shellcheck shell=sh disable=SC2086,SC2154
# rpm: the RPM.

no_words rpm "$@"
need $building git tar ninja-build python3-mesonpy python3-pytest python3-hypothesis rpm
exec "$here/build-aux/rpm.sh"
