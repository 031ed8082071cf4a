#!/bin/sh
# unpack.sh [--all] FOLDER PACKAGE: unpack a Debian package, and the libraries (or all) that
# it needs and that are not installed, without installing anything: no service is started.
set -eu
all=false
if [ "$1" = --all ]; then
    all=true
    shift
fi
cd "$1"
shift
[ "$(id -u)" != 0 ] || chmod 755 .
missing=$1
if $all; then
    missing=$(apt-get -s --no-install-recommends install "$1" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
else
    for library in $(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances "$1" | sed -n 's/^ *|\{0,1\}Depends: \(lib[^<]*\)$/\1/p'); do
        dpkg-query -W "$library" >/dev/null 2>&1 || missing="$missing $library"
    done
fi
# shellcheck disable=SC2086  # a list of words
apt-get -q -o APT::Sandbox::User=root download $missing >&2
for package in *.deb; do
    dpkg -x "$package" .
done
