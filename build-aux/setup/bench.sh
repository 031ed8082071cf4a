# shellcheck shell=sh disable=SC2086,SC2154
# bench [ROUNDS]: speed, as ratios.

case ${1:-1} in *[!0-9]*) unknown "bench: this is no number of rounds: $1" ;; esac
[ $# -le 1 ] || unknown "bench: unknown word: $2"
need_root bench
need $runtime $testing iproute2 # it has the tests' users and their sshd
exec "$here/build-aux/world.sh" "$here/tests/bench/run.sh" "$@"
