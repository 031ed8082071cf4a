# shellcheck shell=sh disable=SC2034,SC2086,SC2154
# packages.sh: the Debian packages that the commands of ./setup need, and how they are installed.

# sid has no python3-keyutils any more; Debian 13 and later have programs of qemu-system-misc in
# packages of their own.
not_everywhere="python3-keyutils qemu-system-riscv qemu-system-s390x"
building="meson gcc libc6-dev libpam0g-dev libpython3-dev python3-dev"
runtime="$building python3 libpam-python libpam-modules keyutils python3-keyutils util-linux mount"
# For the tests; the other architectures' kernel headers, to check system call numbers by,
# are packages for amd64.
testing="git make patch systemd python3-pytest python3-pytest-xdist python3-hypothesis
    python3-mesonpy python3-pamela python3-pampy python3-six python3-venv python3-jsonschema
    python3-prometheus-client twine zsh
    fish graphviz jq strace binutils openssh-client libapparmor1
    manpages-dev libkeyutils-dev"
if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then
    for architecture in arm64 armhf i386 ppc64el riscv64 s390x; do
        testing="$testing linux-libc-dev-$architecture-cross"
    done
fi

# For tests/consumers.  The consumers themselves are fetched by the tests, and not installed: that
# would start services and change /etc/pam.d.
consuming="e2fsprogs file python3-venv"

fuzzing="clang libclang-rt-dev python3-coverage python3-venv"
packaging="$building build-essential debhelper dh-python dpkg-dev lintian"
machines="qemu-system-x86 qemu-utils mmdebstrap e2fsprogs cpio util-linux mount python3 debian-archive-keyring"
vagrant="vagrant vagrant-libvirt libvirt-daemon-system libvirt-clients dnsmasq-base rsync openssh-client"

# emulating ARCHITECTURE: what machines of another processor need besides.  Where the emulator is
# in a package differs from Debian to Debian.
emulating() {
    echo qemu-user-static xz-utils
    case $1 in
    arm64 | armhf) echo qemu-system-arm ;;
    ppc64el) echo qemu-system-ppc ;;
    riscv64 | s390x) command -v "qemu-system-$1" >/dev/null || echo qemu-system-misc "qemu-system-$1" ;;
    esac
    [ "$1" != riscv64 ] || echo opensbi # its firmware
}

missing() {
    for package in "$@"; do
        [ "$package" != python3-keyutils ] || ! has_keyutils || continue
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s ' "$package"
    done
}

# Install Debian packages that are missing, a line of progress for each.
need() {
    if ! command -v apt-get >/dev/null; then
        say "setup: not a Debian: these packages must be installed: $*"
        return
    fi
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    [ "$(id -u)" = 0 ] || die "missing packages; as root: apt-get install $wanted"
    say "Installing what is missing, from Debian's archive:
  $wanted"
    log=$(mktemp)
    if apt_update && wanted=$(there "$wanted") && apt_get install $wanted; then
        rm -f "$log"
        case " $* " in *" python3-keyutils "*) need_keyutils ;; esac
    else
        cat "$log" >&2
        die "could not install: $wanted"
    fi
}

has_keyutils() {
    python3 -c 'import keyutils' 2>/dev/null || [ -e "$here/build/keyutils/complete" ]
}

# Where Debian has no package of it: from PyPI, as docs/pypi.md describes, for the worlds (world.sh).
need_keyutils() {
    ! has_keyutils || return 0
    folder=$here/build/keyutils
    need python3-venv python3-dev gcc libc6-dev libkeyutils-dev
    say "  keyutils, from PyPI"
    rm -rf "$folder"
    python3 -m venv "$folder"
    for packages in "cython<3.1 setuptools wheel" "--no-build-isolation keyutils==0.6"; do
        "$folder/bin/pip" install --quiet --disable-pip-version-check --no-warn-script-location \
            $packages || die "could not install keyutils from PyPI"
    done
    touch "$folder/complete"
}

# Of these packages those that this release has.
there() {
    for package in $1; do
        case " $not_everywhere " in
        *" $package "*) apt-cache show "$package" >/dev/null 2>&1 || {
            say "  not in this Debian's archive, and left out: $package"
            continue
        } ;;
        esac
        printf '%s ' "$package"
    done
}

# apt waits for dpkg's lock and not for that of its lists, which apt-daily.service holds on a
# machine that has just been started.
apt_update() {
    tries=60
    until apt_get update; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] && grep -q '/lists/lock' "$log" || return 1
        : >"$log"
        sleep 5
    done
}

apt_get() {
    {
        DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
            --no-install-recommends "$@" 2>&1 && echo "setup: done"
    } | tee -a "$log" | sed -n -u -e 's/^Get:[0-9]* [^ ]* \([^ ]*\) .*Packages \[.*/  read the index of \1/p' \
        -e 's/^Need to get \(.*B\) .*/  to fetch: \1/p' \
        -e 's/^Get:[0-9]*\( [^ ]*\)\{3\} \([^ ]*\) [^ ]* [^ ]* \[\(.*\)\]/  fetched \2, \3/p' \
        -e 's/^Setting up \([^ ]*\).*/  set up \1/p' >&2
    tail -n 1 "$log" | grep -qx 'setup: done'
}
