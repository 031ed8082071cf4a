#!/bin/sh
# sudo-python.sh FOLDER: build Debian's source of sudo with --enable-python, which Debian's own
# package does not have, into FOLDER.  The index of the archive is separate from the machine's.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ ! -e "$1/built" ] || exit 0
mkdir -p "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial cache/archives/partial
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keys ] && option=" [signed-by=$keys]" || option=
# shellcheck disable=SC2016  # for apt-get to fill in
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Identifier: Packages' 'Origin: Debian' | sort -u | sed "s,^,deb-src$option ," >sources.list
private() {
    apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User=root "$@" >&2
}
private update
private source --tar-only --download-only sudo
mkdir source
tar -x -f sudo_*.orig.tar.* -C source --strip-components=1
cd source
CFLAGS=-O0 ./configure --prefix=/usr --sysconfdir=/etc --libexecdir=/usr/libexec --enable-python --with-pam \
    --without-lecture --disable-nls --disable-log-server --disable-log-client >&2
make -j2 >&2
make install DESTDIR="$1" >&2
touch "$1/built"
