#!/bin/sh
# sudo-python.sh FOLDER LIBRARY: build python_plugin.so of Debian's source of sudo, which its
# package does not have, into FOLDER.  LIBRARY is the package's libsudo_util.so.  The index of the
# archive is separate from the machine's.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ ! -e "$1/python_plugin.so" ] || exit 0
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
CFLAGS=-O0 ./configure --prefix=/usr --sysconfdir=/etc --libexecdir=/usr/libexec --enable-python >&2
ln -s "$2" "$work/libsudo_util.so"
make -C plugins/python all install LT_LIBS= LIBS="-L$work -lsudo_util" DESTDIR="$work/root" >&2
cp "$work/root/usr/libexec/sudo/python_plugin.so" "$1/python_plugin.so.new"
mv "$1/python_plugin.so.new" "$1/python_plugin.so"
