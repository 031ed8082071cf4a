#!/bin/sh
# root.sh ARCHITECTURE WHAT ...: make what a virtual machine of one suite is booted from.  As
# root; all mounts are in a namespace of their own, so that nothing is left of them.
#
#   base SUITE FOLDER PACKAGE...   a root file system, with the users of prepare.sh
#   kernel BASE PACKAGE FOLDER     the kernel that a package, or what it depends on, has, and
#                                  its modules for consoles
#   stage BASE TREE FOLDER         this project, built in that suite and for its Python
#   deb SUITE FOLDER             this project as a Debian package
#   box BASE PUBLIC-KEY FOLDER     a box for vagrant-libvirt, its kernel and its initrd
#   initramfs BASE STAGE GUEST FILE   all of it as one archive, that the kernel unpacks
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C.UTF-8
DEBIAN_FRONTEND=noninteractive
export PATH LC_ALL DEBIAN_FRONTEND
umask 022

if [ "${ROOT_STEP:-}" != inside ]; then
    ROOT_STEP=inside exec unshare --mount --propagation private "$0" "$@"
fi

architecture=$1
shift
# shellcheck source=vagrant/foreign.sh
. "$here/foreign.sh"

# A throw-away copy of a root file system in $top, in which packages can be installed.
with_copy_of() {
    work=$(mktemp -d)
    mount -t tmpfs -o mode=755 scratch "$work"
    mkdir "$work/upper" "$work/work" "$work/top"
    top=$work/top
    mount -t overlay -o "lowerdir=$1,upperdir=$work/upper,workdir=$work/work" scratch "$top"
    mount -t proc proc "$top/proc"
    mount --rbind /dev "$top/dev"
    cp -L /etc/resolv.conf "$top/etc/resolv.conf" 2>/dev/null || :
    mkdir -p "$top/var/cache/apt/archives/partial"
}

# This machine's apt-get for $top: its own may be emulated, and slow.
apt_get() {
    apt-get -q -y -o Dir="$top" -o Dir::State::status="$top/var/lib/dpkg/status" \
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
        -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false "$@"
}

# fetch PACKAGE...: with what they depend on, into the cache of $top.
fetch() {
    apt_get update
    apt_get install --no-install-recommends --download-only "$@"
}

# Lay what was fetched: files are all that a compiler is.
lay() {
    for package in "$top"/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -C "$top" -x --keep-directory-symlink
    done
}

base() {
    suite=$1 folder=$2
    shift 2
    packages=$(echo "$@" | tr ' ' ,)
    set --
    # The release alone: mirrors are late with the rest of what is not for the PC.
    [ -z "$processor" ] || set -- http://deb.debian.org/debian
    rm -rf "$folder"
    mmdebstrap --variant=apt --mode=root --format=directory \
        --architectures="$architecture" --skip=check/qemu \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --include="$packages" \
        --customize-hook="cp $here/guest/prepare.sh \"\$1/prepare.sh\"" \
        --customize-hook="chroot \"\$1\" sh /prepare.sh && rm \"\$1/prepare.sh\"" \
        "$suite" "$folder" "$@"
}

kernel() {
    with_copy_of "$1"
    # In which package the kernel is, and where, differs from release to release; the one that
    # was asked for may be empty, and missing.
    fetch "$2" || :
    for package in "$top"/var/cache/apt/archives/linux-*.deb; do
        dpkg -x "$package" "$top/tmp/image"
    done
    mkdir "$3" "$3/modules"
    find "$top/tmp/image" '(' -path '*/boot/vmlinu[xz]-*' -o -path '*/lib/modules/*/vmlinu[xz]' ')' \
        -type f -exec cp {} "$3/vmlinuz" ';'
    find "$top/tmp/image" '(' -path '*/drivers/virtio/virtio*.ko*' -o -name 'virtio_console.ko*' ')' \
        -exec cp {} "$3/modules" ';'
    find "$3/modules" -name '*.xz' -exec xz -d {} +
    [ -s "$3/vmlinuz" ]
}

stage() {
    with_copy_of "$1"
    fetch meson gcc binutils libc6-dev libpam0g-dev libpython3-dev python3-dev
    lay
    case $(chroot "$top" meson --version) in
    0.*) # too old for our build; it is only Python, and our code runs with Python 3.9 as well
        (cd "$work" && apt-get -q download meson && dpkg -x meson_*.deb "$top")
        ;;
    esac
    mkdir "$top/src" "$3"
    tar -C "$2" --exclude=./build --exclude=./.git -c . | tar -C "$top/src" -x
    chroot "$top" env DESTDIR=/stage PREFIX=/usr/local sh /src/build-aux/install.sh
    cp -a "$top/stage/." "$3"
    [ -n "$processor" ] || return 0
    # What the tests need that is compiled: the machine has no compiler.
    chroot "$top" sh -c 'meson setup -Dtests=true /made /src && ninja -C /made tests/driver/pamdrive'
    mkdir "$3/vm"
    cp "$top/made/tests/driver/pamdrive" "$3/vm/"
}

deb() {
    mkdir "$2"
    DIST=$2 "$here/../setup" deb --for "$1"
}

initramfs() {
    with_copy_of "$1"
    tar -C "$2" -c . | tar -C "$top" -x --keep-directory-symlink
    mkdir -p "$top/vm"
    cp -a "$3/." "$top/vm/"
    ln -sf /vm/init "$top/init"
    umount -l "$top/proc" "$top/dev"
    (
        cd "$top"
        rm -rf ./boot ./var/cache ./var/lib/apt/lists ./usr/share/doc ./usr/share/locale ./usr/share/man
        find . -print0 | cpio -0 --quiet -o -H newc
    ) >"$4"
}

box() {
    with_copy_of "$1"
    mkdir "$3"
    cp "$here/guest/vagrant-user.sh" "$2" "$top/tmp/"
    chroot "$top" sh /tmp/vagrant-user.sh "/tmp/${2##*/}"
    umount -l "$top/proc" "$top/dev"
    cp "$top"/boot/vmlinuz-* "$3/vmlinuz"
    cp "$top"/boot/initrd.img-* "$3/initrd"
    truncate -s 4G "$3/disk"
    mke2fs -q -t ext4 -d "$top" "$3/disk"
    qemu-img convert -O qcow2 "$3/disk" "$3/box.img"
    rm "$3/disk"
    echo '{"provider": "libvirt", "format": "qcow2", "virtual_size": 4}' >"$3/metadata.json"
    : >"$3/Vagrantfile"
    tar -C "$3" -cf "$3/pykeyinit.box" metadata.json Vagrantfile box.img
    rm "$3/box.img" "$3/metadata.json" "$3/Vagrantfile"
}

what=$1
shift
"$what" "$@"
