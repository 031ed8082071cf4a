#!/bin/sh
# copy.sh FOLDER: a clean copy of this tree in a new folder: files that git tracks or would add,
# as they are now; without git, all files but those of builds.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
umask 022
mkdir -p "$1"
cd "$here"
if [ -e .git ]; then
    # Whoever owns the tree: root builds from a user's too.
    git -c safe.directory="$here" -c core.quotePath=off ls-files --cached --others --exclude-standard |
        while read -r file; do
            [ ! -e "$file" ] || echo "$file"
        done
else
    find . -name __pycache__ -prune -o -path ./build -prune -o -path ./dist -prune -o \
        -path ./.hypothesis -prune -o ! -type d -print
fi | tar --create --no-recursion --owner 0 --group 0 --mode u=rwX,go=rX --files-from - |
    tar --extract --no-same-owner --directory "$1"
