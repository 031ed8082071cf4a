# shellcheck shell=sh disable=SC2086,SC2154
# demo: real sessions and their keyrings, in a world of its own.

no_words demo "$@"
need_root demo
need $runtime
exec "$here/build-aux/world.sh" python3 "$here/demo/demo.py"
