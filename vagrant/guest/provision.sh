#!/bin/sh
# provision.sh: install the project from /install: a .deb, or the files of ./setup install.
set -eu
if ls /install/*.deb >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive dpkg -i /install/*.deb
else # rsync has copied them as Vagrant's user
    tar -C /install --owner=root --group=root -c . |
        tar -C / -x --no-overwrite-dir --keep-directory-symlink
fi
