# shellcheck shell=sh disable=SC2086,SC2154
# fuzz [--keep] [SECONDS] [TARGET...]: see tests/fuzz/campaign.py.

need_root fuzz
need $runtime $testing $fuzzing
exec "$here/build-aux/fuzz.sh" "$@"
