#!/bin/sh
# unpack.sh [--all] FOLDER PACKAGE...: unpack Debian packages, and the libraries (or all) that
# they need and that are not installed, without installing anything: no service is started.
set -eu
all=false
if [ "$1" = --all ]; then
    all=true
    shift
fi
folder=$(cd "$1" && pwd)
shift
archives=$(mktemp -d)
trap 'rm -rf "$archives"' EXIT
chmod 755 "$archives"
cd "$archives"
[ "$(id -u)" != 0 ] || chmod 755 "$folder"
missing=$*
if $all; then
    missing=$(apt-get -s --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
else
    for library in $(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances "$@" | sed -n 's/^ *|\{0,1\}Depends: \(lib[^<]*\)$/\1/p' | sort -u); do
        dpkg-query -W "$library" >/dev/null 2>&1 || missing="$missing $library"
    done
fi
# shellcheck disable=SC2086  # a list of words
apt-get -q -o APT::Sandbox::User=root download $missing >&2
for package in *.deb; do
    dpkg -x "$package" "$folder"
done
