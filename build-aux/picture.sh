#!/bin/sh
# picture.sh, in a world: docs/login.svg, the keyrings of a login as `show --dot` draws them.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
file=$here/docs/login.svg
# shellcheck disable=SC2016  # for the shell of the session
session='keyctl add user mail secret @u >/dev/null
    keyctl add user ticket secret @s >/dev/null
    pykeyinit-helper show --dot'
PATH=/usr/local/bin:$PATH
# Replace the uid of the world with the usual 1000.
pykeyinit-helper run --session new --link user --user alice -- sh -ec "$session" |
    sed 's/\(_uid[_a-z]*\.\)[0-9]*/\11000/' | dot -Tsvg >"$file.new"
mv "$file.new" "$file"
echo "docs/login.svg is made"
