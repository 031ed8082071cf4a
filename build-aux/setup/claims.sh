# shellcheck shell=sh disable=SC2086,SC2154
# claims [--on SUITE...]: the claims of tests/claims, on this kernel or on machines.

[ "${1:---on}" = --on ] || unknown "claims: unknown word: $1"
need_root claims
if [ "${1:-}" = --on ]; then
    shift
    need $machines
    PYTHONPATH=$here/vagrant:$here/tests exec python3 -P -m harness.claims "$@"
fi
need $runtime
exec "$here/build-aux/world.sh" python3 "$here/tests/claims/run.py"
