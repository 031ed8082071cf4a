#!/bin/sh
# display.sh USER PROBE...: log in to lightdm with a password; the probe is the session.
# X has no screen, and the greeter types by itself.
set -eu
user=$1
shift
mkdir -p /etc/lightdm/lightdm.conf.d /usr/share/xgreeters /usr/share/xsessions
cat >/etc/lightdm/lightdm.conf.d/vm.conf <<END
[LightDM]
logind-check-graphical=false
[Seat:*]
xserver-command=/vm/xserver
greeter-session=vm
session-wrapper=/usr/bin/env
END
printf '[Desktop Entry]\nName=vm\nType=Application\nExec=/vm/greeter.py\n' >/usr/share/xgreeters/vm.desktop
# A session is one word.
printf '#!/bin/sh\nexec %s\n' "$*" >/usr/local/bin/vm-session
chmod 755 /usr/local/bin/vm-session
printf '[Desktop Entry]\nName=vm\nType=Application\nExec=/usr/local/bin/vm-session\n' >/usr/share/xsessions/vm.desktop
printf %s "$user" >/run/vm/greet
chown lightdm /run/vm/greet
exec systemctl start lightdm
