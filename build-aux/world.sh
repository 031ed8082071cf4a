#!/bin/sh
# world.sh COMMAND...: run a command, as root, in a private world, where logins can be
# tried without changing the machine: private mounts hold the users, the PAM folders,
# /dev/log, /run, and this tree's module as ./setup install installs it.  All of it is removed
# when the command ends.  WORLD is the folder of the world.
#
#   $WORLD/log       the target of /dev/log; a test listens there
#   $WORLD/stage     the files of ./setup install
#   $WORLD/turns     for locks that all worlds of the machine share
#   alice, bob, carol, dave, jörg   ordinary users, with homes below $WORLD/home; their uids
#       count from $WORLD_UIDS, 61001: worlds at the same time must not share keys and quotas,
#       and each may use 100 uids
#
# $WORLD_STAGE, if it is set, is a folder in which test.sh has installed the module already.  The
# world has the build that is beside it for itself.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

if [ "${WORLD_STEP:-}" != inside ]; then
    unset WORLD
    WORLD_STEP=inside exec python3 -I "$here/build-aux/private.py" "$0" "$@"
fi
unset WORLD_STEP

chmod 755 "$WORLD"
mount -t tmpfs -o mode=755 pykeyinit "$WORLD"
mkdir -p "$WORLD/etc" "$WORLD/home" "$WORLD/run" "$WORLD/dev/pts" "$WORLD/dev/shm" "$WORLD/security"

# Users.  Every lookup is from these files: what the machine has of LDAP or the like is out.
for file in passwd group shadow nsswitch.conf; do
    cp -p "/etc/$file" "$WORLD/etc/$file" 2>/dev/null || : >"$WORLD/etc/$file"
done
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >"$WORLD/etc/nsswitch.conf"
uid=${WORLD_UIDS:-61001}
for user in alice bob carol dave jörg; do
    # The group's number is another one than the user's, so that none passes for the other.
    gid=$((uid + 50))
    echo "$user:x:$uid:$gid:$user:$WORLD/home/$user:/bin/sh" >>"$WORLD/etc/passwd"
    echo "$user:x:$gid:" >>"$WORLD/etc/group"
    echo "$user:*:19000:0:99999:7:::" >>"$WORLD/etc/shadow"
    install -d -m 700 -o "$uid" -g "$gid" "$WORLD/home/$user"
    uid=$((uid + 1))
done
for file in passwd group shadow nsswitch.conf; do
    [ -e "/etc/$file" ] || continue
    mount --bind "$WORLD/etc/$file" "/etc/$file"
done

# The module, as installed.
if [ -n "${WORLD_STAGE:-}" ]; then
    cp -a "$WORLD_STAGE/installed" "$WORLD/stage"
    cp -a "$WORLD_STAGE/build" "$WORLD/build"
    mount --bind "$WORLD/build" "$WORLD_STAGE/build"
else
    DESTDIR=$WORLD/stage PREFIX=/usr/local "$here/build-aux/install.sh" >/dev/null
fi
if [ ! -d /lib/security ]; then # Debian 13: pam_python.so is elsewhere, but looks in here
    mkdir -p "$WORLD/lib/security"
    mount -t overlay -o "lowerdir=$WORLD/lib:/usr/lib" pykeyinit /usr/lib || mkdir /lib/security
fi
cp -a /lib/security/. "$WORLD/security/"
cp -a "$WORLD/stage/lib/security/." "$WORLD/security/"
mount --bind "$WORLD/security" /lib/security
# libpam's own folder, which holds pam_pykeyinit.so.
(cd "$WORLD/stage" && find lib -path 'lib/*/security') | while read -r folder; do
    mkdir -p "$WORLD/modules"
    cp -a "/$folder/." "$WORLD/stage/$folder/." "$WORLD/modules/"
    mount --bind "$WORLD/modules" "/$folder"
done
(cd "$WORLD/stage" && find usr/local/lib -name dist-packages) | while read -r folder; do
    # If Debian has no package of keyutils: ./setup has built it, or this is a world in a world.
    if [ -e "$here/build/keyutils/complete" ]; then
        cp -a "$here"/build/keyutils/lib/python3*/site-packages/keyutils "$WORLD/stage/$folder"
    elif [ -e "/$folder/keyutils" ] && [ ! -e /usr/lib/python3/dist-packages/keyutils ]; then
        cp -a "/$folder/keyutils" "$WORLD/stage/$folder"
    fi
    mount --bind "$WORLD/stage/$folder" "/$folder"
done
mkdir -p "$WORLD/bin" "$WORLD/local-bin"
mount --bind /usr/local/bin "$WORLD/local-bin"
cp -as "$WORLD/local-bin/." "$WORLD/bin/"
cp -a --remove-destination "$WORLD/stage/usr/local/bin/." "$WORLD/bin/"
mount --bind "$WORLD/bin" /usr/local/bin

# The log.
for node in null zero full random urandom tty ptmx; do
    : >"$WORLD/dev/$node"
    mount --bind "/dev/$node" "$WORLD/dev/$node"
done
mount --rbind /dev/pts "$WORLD/dev/pts"
ln -s /proc/self/fd "$WORLD/dev/fd"
ln -s "$WORLD/log" "$WORLD/dev/log"
mount --rbind "$WORLD/dev" /dev
mkdir "$WORLD/turns"
for turn in turn room; do
    : >>"/run/pykeyinit.$turn"
    : >"$WORLD/turns/$turn"
    mount --bind "/run/pykeyinit.$turn" "$WORLD/turns/$turn"
done
mount -t tmpfs -o mode=755 pykeyinit /run

exec "$@"
