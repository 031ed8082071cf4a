# shellcheck shell=sh disable=SC2086,SC2154
# lint: what must be clean before a change goes in.

no_words lint "$@"
need git python3-venv shellcheck mandoc
exec "$here/build-aux/lint.sh"
