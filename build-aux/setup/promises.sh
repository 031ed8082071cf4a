# shellcheck shell=sh disable=SC2086,SC2154
# promises: docs/promises.md.

no_words promises "$@"
need python3
last=$here/build/last-run.json
[ -e "$last" ] || die "no test was run here yet: sudo ./setup test"
page=$(python3 -I "$here/build-aux/promises.py" "$here/SECURITY.md" "$last" \
    "$here/tests/long-runs.tsv")
printf '%s\n' "$page" >"$here/docs/promises.md"
say "docs/promises.md is made"
