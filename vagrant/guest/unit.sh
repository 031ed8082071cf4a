#!/bin/sh
# unit.sh template|drop-in USER PROBE...: install and restart the daemon of conf/systemd, unchanged
# except for its program, as an administrator does from a shell.  The restarted daemon runs the
# probe, and ends when the process of the probe that stayed has answered.
set -eu
how=$1 user=$2
shift 2
conf=$(find /usr/share/doc/libpam-pykeyinit/examples -type d -name systemd)
units=/etc/systemd/system
out=/run/vm/$2

printf '#!/bin/sh\nexec sleep 600\n' >/usr/local/sbin/mydaemon
chmod 755 /usr/local/sbin/mydaemon
case $how in
template)
    unit=mydaemon@$user.service
    helper=$(command -v pykeyinit-helper)
    sed "s,/usr/local/bin/pykeyinit-helper,$helper," "$conf/mydaemon@.service" >"$units/mydaemon@.service"
    # The probe writes there; all else stays read-only.
    mkdir -p "$units/$unit.d"
    printf '[Service]\nReadWritePaths=/run/vm\n' >"$units/$unit.d/vm.conf"
    ;;
drop-in)
    unit=mydaemon.service
    printf '[Service]\nExecStart=/usr/local/sbin/mydaemon\nUser=%s\n' "$user" >"$units/$unit"
    install -D -m 644 "$conf/keyring.conf" "$units/$unit.d/keyring.conf"
    ;;
esac
systemctl daemon-reload
systemctl start "$unit"
printf '#!/bin/sh\n%s\nwhile [ ! -e %s.left ]; do sleep 0.2; done\n' "$*" "$out" >/usr/local/sbin/mydaemon
systemctl restart "$unit"
