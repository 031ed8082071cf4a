# shellcheck shell=sh disable=SC2086,SC2154
# test [PYTEST ARGUMENT...]: the test suite; see build-aux/test.sh.

need $runtime $testing $consuming $fuzzing
exec "$here/build-aux/test.sh" "$@"
