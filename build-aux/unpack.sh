#!/bin/sh
# unpack.sh FOLDER PACKAGE: unpack a Debian package, and the libraries that it needs and
# that are not installed, without installing anything: no service is started by that.
set -eu
cd "$1"
[ "$(id -u)" != 0 ] || chmod 755 .
wanted=$(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$2" | sed -n 's/^ *|\{0,1\}Depends: \(lib[^<]*\)$/\1/p')
missing=
for library in $wanted; do
    dpkg-query -W "$library" >/dev/null 2>&1 || missing="$missing $library"
done
# shellcheck disable=SC2086  # a list of words
apt-get -q -o APT::Sandbox::User=root download "$2" $missing >&2
for package in *.deb; do
    dpkg -x "$package" .
done
