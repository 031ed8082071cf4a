#!/bin/sh
# debian.sh: this tree in a bare Debian of another release or architecture, as root.
#
#   make SUITE[:ARCHITECTURE] FOLDER [SOURCE...]
#                                      a system from packages: those of priority important
#                                      and git; from these lines of sources.list(5), if any
#   enter FOLDER COMMAND...            run a command in it as if it were the machine: with
#                                      processes and mounts of its own, and / a mount point
#   chroot FOLDER COMMAND...           run a command in it as in a plain chroot(1)
#
# Both give it /proc, /dev and a clean environment, and all of that is gone with the command.
# The network, whose certificates are trusted in it, the kernel and so its keys are this machine's.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C.UTF-8
export PATH LC_ALL
umask 022
trusted=/etc/ssl/certs/ca-certificates.crt

make() {
    # shellcheck source=/dev/null
    . "$here/setup/common.sh"
    # shellcheck source=/dev/null
    . "$here/setup/packages.sh"
    suite=${1%%:*} architecture='' asks=''
    # mmdebstrap asks arch-test whether this machine runs programs of another architecture.
    [ "$suite" = "$1" ] || architecture=--architectures=${1#*:} asks=arch-test
    # shellcheck disable=SC2086  # none or one word
    need mmdebstrap debian-archive-keyring $asks
    folder=$2
    shift 2
    # shellcheck disable=SC2086  # none or one word
    mmdebstrap --quiet --mode=root --variant=important --format=directory $architecture \
        --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt=force-unsafe-io \
        --include=git,ca-certificates "$suite" "$folder" "$@"
}

# A /dev as in a container: no disk, and terminals of its own.
lay_dev() {
    mount -t tmpfs -o mode=755 dev "$1/dev"
    for node in null zero full random urandom tty; do
        : >"$1/dev/$node"
        mount --bind "/dev/$node" "$1/dev/$node"
    done
    mkdir "$1/dev/pts" "$1/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$1/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$1/dev/shm"
    ln -s pts/ptmx "$1/dev/ptmx"
    ln -s /proc/self/fd "$1/dev/fd"
    ln -s /proc/self/fd/0 "$1/dev/stdin"
    ln -s /proc/self/fd/1 "$1/dev/stdout"
    ln -s /proc/self/fd/2 "$1/dev/stderr"
}

inside() {
    how=$1 root=$2
    shift 2
    [ "$how" = chroot ] || mount --rbind "$root" "$root"
    lay_dev "$root"
    # The keys are the kernel's, and so are those who wait for each other because of them:
    # see private.py and tests/support/turns.py.
    for name in lock quotas turn room; do
        : >>"/run/pykeyinit.$name"
        : >>"$root/run/pykeyinit.$name"
        mount --bind "/run/pykeyinit.$name" "$root/run/pykeyinit.$name"
    done
    mount -t proc proc "$root/proc"
    for file in /etc/resolv.conf $trusted; do
        cp -L "$file" "$root$file" 2>/dev/null || :
    done
    # pip and Node.js have lists of their own, but for what these name.
    set -- env -i "PATH=$PATH" LC_ALL=C.UTF-8 HOME=/root "TERM=${TERM:-dumb}" ${CI:+"CI=$CI"} \
        ${WORLD_UIDS:+"WORLD_UIDS=$WORLD_UIDS"} "PIP_CERT=$trusted" "NODE_EXTRA_CA_CERTS=$trusted" \
        sh -c "$in_it" sh "$@"
    [ "$how" = enter ] || exec chroot "$root" "$@"
    mount -t sysfs -o ro sysfs "$root/sys"
    # It covers the old root.  Not every Debian has pivot_root(8).
    cd "$root"
    mount --move . /
    exec chroot . "$@"
}

# shellcheck disable=SC2016  # for the shell that it is given to
in_it='cd /root && exec "$@"'

case ${1:-} in
make)
    shift
    make "$@"
    ;;
enter | chroot)
    root=$(CDPATH='' cd -- "$2" && pwd -P)
    how=$1
    shift 2
    exec unshare --mount --pid --fork --kill-child --propagation private -- \
        "$here/debian.sh" inside "$how" "$root" "$@"
    ;;
inside)
    shift
    inside "$@"
    ;;
*)
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
